/// \file
/// zlib. The compiler is told that it is a library's (tensor/eigen_library.hpp).
#pragma once
#pragma GCC system_header

#include <zlib.h>
