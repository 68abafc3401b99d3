/// \file
/// Eigen, and of it what tensors need. The compiler is told that it is a library's: whichever
/// warnings a program asks for, they are of its own code.
#pragma once
#pragma GCC system_header

#include <unsupported/Eigen/CXX11/Tensor>
