// A program of another project that draws images, saves a network and loads it again.
#include <ebb/data.hpp>
#include <ebb/ebb.hpp>
#include <ebb/io.hpp>
#include <ebb/train.hpp>

#include <cstdio>

int main() {
  const auto digits = ebb::data::stroke_digits(20);
  ebb::data::Loader loader(digits, {.batch_size = 10});
  const ebb::nn::Sequential net(ebb::flatten, ebb::nn::Linear<>(28 * 28, 10));
  ebb::nn::Sequential again(ebb::flatten, ebb::nn::Linear<>(28 * 28, 10));
  ebb::io::save(net, "consumer.safetensors");
  ebb::io::load(again, "consumer.safetensors");
  std::remove("consumer.safetensors");

  const auto before = ebb::evaluate(net, loader), after = ebb::evaluate(again, loader);
  std::printf("loss %g, and loaded again %g\n", before.loss, after.loss);
  return before.loss == after.loss ? 0 : 1;
}
