#include <ebb/ops/elementwise/silu.hpp>

#include "tests/support/elementwise.hpp"

using namespace ebb;

TEST_CASE("silu: values and gradients", "[ops][silu]") {
  // x = torch.tensor([-3, -1.2, -0.4, 0.3, 1.1, 2.5], dtype=torch.float64, requires_grad=True)
  // y = F.silu(x); y.sum().backward(); print(y.tolist(), x.grad.tolist())
  test::check_elementwise(silu, {-3.0, -1.2, -0.4, 0.3, 1.1, 2.5},
                          {-0.14227761953270035, -0.2777702598011788, -0.1605249359550192,
                           0.1723327550434977, 0.8252861161546294, 2.3103545499468914},
                          {-0.08810410601516962, 0.01800188772481552, 0.3052080415909363,
                           0.6477800103188829, 0.9563669730973904, 1.0994011113415267});
}
