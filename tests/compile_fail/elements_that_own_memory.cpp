// expect: elements are copied as bytes, so their type must be trivially copyable
#include <ebb/tensor/tensor.hpp>

#ifdef WRONG
#  include <string>
using Element = std::string;
#else
using Element = float;
#endif

ebb::Index count(const ebb::Tensor<Element, 1>& x) { return x.size(); }
