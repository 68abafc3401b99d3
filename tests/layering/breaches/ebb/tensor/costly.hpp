// Includes what only tensor/eigen.hpp may, and what is costly to compile.
#include <Eigen/Core>
#include <iostream>
