// Includes from a layer to the right.
#include <ebb/tensor/tensor.hpp>
