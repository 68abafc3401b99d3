// Plain tensors record nothing, so one const network may serve many threads at once. The thread
// sanitizer watches this file.
#include <ebb/ebb.hpp>

#include <thread>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using test::random;

TEST_CASE("one const network predicts from several threads", "[training][threads]") {
  manual_seed(1);
  const nn::Sequential net(nn::Conv2d<>(1, 4, 3, {.padding = 1}), nn::BatchNorm2d<>(4), relu,
                           nn::MaxPool2d(2), nn::Dropout(0.5), flatten,
                           nn::Linear<>(4 * 4 * 4, 10));
  const auto x = random<float>(Shape{3, 1, 8, 8});
  const auto expected = net(x).values();

  constexpr int threads = 4, repeats = 20;
  std::vector<int> agreeing(threads, 0);
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      for (int i = 0; i < repeats; ++i)
        agreeing[static_cast<std::size_t>(t)] += net(x).values() == expected;
    });
  for (auto& worker : workers) worker.join();
  for (const int agreed : agreeing) CHECK(agreed == repeats);
}

TEST_CASE("threads train their own copies side by side", "[training][threads]") {
  const auto train = [] {
    manual_seed(5);
    nn::Sequential net(nn::Linear<>(6, 8), relu, nn::Dropout(0.2), nn::Linear<>(8, 3));
    optim::Optimizer<optim::Sgd> optimizer(net, {.lr = 0.1, .momentum = 0.9});
    const auto x = random<float>(Shape{12, 6});
    const Tensor<int, 1> y({12}, {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2});
    float last = 0;
    for (int step = 0; step < 10; ++step) {
      Tape tape;
      const auto loss = cross_entropy(net(tape.input(x)), y);
      optimizer.zero_grad();
      backward(loss);
      optimizer.step();
      last = loss.item();
    }
    return last;
  };
  std::vector<float> losses(3);
  std::vector<std::thread> workers;
  for (auto& loss : losses) workers.emplace_back([&] { loss = train(); });
  for (auto& worker : workers) worker.join();
  const float alone = train();
  for (const float loss : losses) CHECK(loss == alone);
}

TEST_CASE("packed weights serve several threads", "[training][threads]") {
  const auto x = random<float>(Shape{2, 20, 12, 12}, 1), w = random<float>(Shape{40, 20, 3, 3}, 2);
  const auto rows = random<float>(Shape{20, 50}, 3), dense = random<float>(Shape{30, 50}, 4);
  for (const ConvAlgorithm way : {ConvAlgorithm::channels, ConvAlgorithm::winograd}) {
    set_conv2d_algorithm(way);
    const auto packed = pack_conv2d(w, {.padding = 1, .activation = silu}, x.shape());
    const auto packed_dense = pack_linear(dense, 20);
    reset_conv2d_algorithm();
    const auto expected = conv2d(x, packed).values(),
               expected_rows = linear(rows, packed_dense).values();
    std::vector<int> agreeing(4, 0);
    std::vector<std::thread> workers;
    for (int& agreed : agreeing)
      workers.emplace_back([&, mine = packed] {
        for (int i = 0; i < 5; ++i)
          agreed += conv2d(x, mine).values() == expected &&
                    linear(rows, packed_dense).values() == expected_rows;
      });
    for (auto& worker : workers) worker.join();
    for (const int agreed : agreeing) CHECK(agreed == 5);
  }
}
