// expect: write the object, nn::tanh
#include <ebb/nn/functions.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/nn/sequential.hpp>

#ifdef WRONG
const ebb::nn::Sequential net(ebb::nn::Linear<>(2, 8), ebb::tanh, ebb::nn::Linear<>(8, 1));
#else
const ebb::nn::Sequential net(ebb::nn::Linear<>(2, 8), ebb::nn::tanh, ebb::nn::Linear<>(8, 1));
#endif
