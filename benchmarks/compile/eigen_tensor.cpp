// What every other compile time here includes: Eigen's tensors alone.
#include <unsupported/Eigen/CXX11/Tensor>
