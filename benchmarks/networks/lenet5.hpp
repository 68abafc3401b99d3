/// \file
/// LeNet-5 as the library has it.
#pragma once

#include <ebb/ebb.hpp>
#include <ebb/models/lenet5.hpp>

namespace bench {

using LeNet5 = ebb::models::LeNet5<>;

}  // namespace bench
