// Names, order and everything else that follows from a module's visit().
#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/optim/optim.hpp>
#include <ebb/tape/backward.hpp>
#include <ebb/tape/gradcheck.hpp>

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "tests/support/catch.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

struct Block {
  nn::Conv2d<> conv{2, 2, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d<> bn{2};
  auto operator()(const auto& x) const { return relu(bn(conv(x))); }
  static void visit(auto& self, auto&& f) {
    f("conv", self.conv);
    f("bn", self.bn);
  }
};

/// Lists its parts in an order that is not PyTorch's: a child, a buffer, a parameter.
struct Net {
  std::vector<Block> blocks{Block(), Block()};
  nn::Buffer<Tensor<float, 1>> mean{Tensor<float, 1>::zeros({2})};
  Param<Tensor<float, 0>> scale{Tensor<float, 0>(1.0f)};
  nn::Dropout<> dropout{0.2};
  nn::Linear<> fc{8, 3};

  auto operator()(const auto& x) const {
    return fc(flatten(dropout(blocks[1](blocks[0](x)) * scale.on(x))));
  }
  static void visit(auto& self, auto&& f) {
    f("blocks", self.blocks);
    f("mean", self.mean);
    f("scale", self.scale);
    f("dropout", self.dropout);
    f("fc", self.fc);
  }
};

template <class N>
std::vector<std::string> state_names(N& net) {
  std::vector<std::string> names;
  nn::visit_state(net, [&](const std::string& name, auto&) { names.push_back(name); });
  return names;
}

}  // namespace

TEST_CASE("state is visited in the order and under the names of state_dict") {
  // list(net.state_dict()) of the same module in PyTorch 1.13, blocks an nn.ModuleList
  const std::vector<std::string> expected{"scale",
                                          "mean",
                                          "blocks.0.conv.weight",
                                          "blocks.0.bn.weight",
                                          "blocks.0.bn.bias",
                                          "blocks.0.bn.running_mean",
                                          "blocks.0.bn.running_var",
                                          "blocks.0.bn.num_batches_tracked",
                                          "blocks.1.conv.weight",
                                          "blocks.1.bn.weight",
                                          "blocks.1.bn.bias",
                                          "blocks.1.bn.running_mean",
                                          "blocks.1.bn.running_var",
                                          "blocks.1.bn.num_batches_tracked",
                                          "fc.weight",
                                          "fc.bias"};
  Net net;
  CHECK(state_names(net) == expected);
  const Net& constant = net;
  CHECK(state_names(constant) == expected);

  std::vector<std::string> parameters, buffers, modules;
  nn::visit_parameters(net, [&](const std::string& n, auto&) { parameters.push_back(n); });
  nn::visit_buffers(net, [&](const std::string& n, auto&) { buffers.push_back(n); });
  nn::visit_modules(net, [&](const std::string& n, auto&) { modules.push_back(n); });
  CHECK(parameters.size() == 9);
  CHECK(buffers.size() == 7);
  CHECK(modules == std::vector<std::string>{"", "blocks.0", "blocks.0.conv", "blocks.0.bn",
                                            "blocks.1", "blocks.1.conv", "blocks.1.bn", "dropout",
                                            "fc"});
}

TEST_CASE("a layer alone is a network too") {
  nn::Linear<> layer(3, 2);
  CHECK(state_names(layer) == std::vector<std::string>{"weight", "bias"});
  CHECK(nn::count_parameters(layer) == 8);
  CHECK(nn::count_parameters(relu) == 0);
}

TEST_CASE("names, counts, freezing, gradients") {
  Net net;
  nn::name_parameters(net);
  CHECK(net.blocks[1].conv.weight.name() == "blocks.1.conv.weight");
  CHECK(nn::count_parameters(net) == 1 + 2 * (36 + 4) + 27);
  nn::freeze(net.blocks[0]);
  CHECK(nn::count_trainable(net) == nn::count_parameters(net) - 40);
  CHECK_FALSE(net.blocks[0].bn.bias.trainable());

  const auto x = Tensor<float, 4>::ones({3, 2, 2, 2});
  Tape tape;
  backward(sum(net(tape.input(x))));
  CHECK_FALSE(net.blocks[0].conv.weight.grad().defined());
  CHECK(net.blocks[1].conv.weight.grad().defined());
  nn::zero_grad(net);
  CHECK_FALSE(net.blocks[1].conv.weight.grad().defined());
  nn::unfreeze(net);
  CHECK(nn::count_trainable(net) == nn::count_parameters(net));

  // An operation's error names the layer.
  CHECK_THROWS_WITH(net.fc(Tensor<float, 2>::ones({1, 7})), Contains("fc"));
}

TEST_CASE("copying a network copies its parameters and buffers") {
  Net net;
  Net copy = net;
  net.fc.weight.value()(0, 0) = 77;
  net.mean.value()(0) = 5;
  net.blocks[0].bn.running_mean.value()(0) = 9;
  CHECK(copy.fc.weight.value()(0, 0) != 77);
  CHECK(copy.mean.value()(0) == 0);
  CHECK(copy.blocks[0].bn.running_mean.value()(0) == 0);

  const auto cell = copy.fc.weight.cell();
  copy = net;
  CHECK(copy.fc.weight.cell() == cell);  // who holds the cell stays attached
  CHECK(copy.fc.weight.value()(0, 0) == 77);
  CHECK(copy.mean.value()(0) == 5);
  copy.mean.value()(0) = 6;
  CHECK(net.mean.value()(0) == 5);

  const Net moved = std::move(copy);
  CHECK(moved.fc.weight.cell() == cell);
  CHECK(moved.mean.value()(0) == 6);
}

TEST_CASE("buffers check what they are set to") {
  nn::Buffer<Tensor<float, 1>> buffer(Tensor<float, 1>::zeros({2})), absent;
  buffer.set(Tensor<float, 1>::ones({2}));
  CHECK(buffer.value()(1) == 1);
  CHECK_THROWS_WITH(buffer.set(Tensor<float, 1>::ones({3})),
                    Contains("shape (2) cannot be set to a tensor of shape (3)"));
  CHECK_FALSE(absent.defined());
  CHECK_THROWS_AS(absent.value(), ValueError);
  absent = buffer;
  CHECK(absent.value()(0) == 1);
}

TEST_CASE("modes reach every layer that has one") {
  Net net;
  nn::train(net);
  CHECK(net.dropout.mode == nn::Mode::train);
  CHECK(net.blocks[1].bn.mode == nn::Mode::train);
  nn::eval(net);
  CHECK(net.dropout.mode == nn::Mode::eval);
  CHECK(net.blocks[0].bn.mode == nn::Mode::eval);
  nn::set_mode(net, nn::Mode::automatic);
  CHECK(net.dropout.mode == nn::Mode::automatic);
}

namespace {

using Layer = nn::Linear<double>;
using Bias = Param<Tensor<double, 1>>;

/// Parts in everything that holds parts.
struct Held {
  std::unique_ptr<Layer> unique = std::make_unique<Layer>(2, 2);
  std::shared_ptr<Layer> shared = std::make_shared<Layer>(2, 2), same = shared, none;
  std::optional<Layer> perhaps{Layer(2, 2)}, absent;
  std::deque<Layer> deque{Layer(2, 2), Layer(2, 2)};
  std::list<std::unique_ptr<Layer>> list;
  std::map<std::string, Layer> map{{"lung", Layer(2, 2)}, {"liver", Layer(2, 2)}};
  std::map<int, std::vector<Layer>> nested{{3, {Layer(2, 2)}}};
  std::tuple<Layer, nn::Dropout<double>, Layer> tuple{Layer(2, 2), nn::Dropout<double>(0),
                                                      Layer(2, 2)};
  std::pair<Layer, Layer> pair{Layer(2, 2), Layer(2, 2)};
  std::variant<nn::Identity, Layer> either{Layer(2, 2)}, other;
  Layer array[2] = {Layer(2, 2), Layer(2, 2)};
  std::unique_ptr<Bias> bias = std::make_unique<Bias>(Tensor<double, 1>::ones({2}));
  std::map<std::string, Bias> biases{{"b", Bias(Tensor<double, 1>::ones({2}))}};
  double rate = 0.5;  // plain data is no part that could be lost

  Held() { list.push_back(std::make_unique<Layer>(2, 2)); }

  auto operator()(const auto& x) const {
    auto y = (*same)((*shared)((*unique)(x)));
    y = (*perhaps)(deque[1](deque[0](y)));
    y = map.at("lung")(map.at("liver")((*list.front())(y)));
    y = std::get<2>(tuple)(std::get<0>(tuple)(nested.at(3)[0](y)));
    y = std::get<Layer>(either)(pair.second(pair.first(y)));
    return array[1](array[0](y)) + (*bias).on(x) + biases.at("b").on(x);
  }
  static constexpr void visit(auto& self, auto&& f) {
    f("unique", self.unique);
    f("shared", self.shared);
    f("same", self.same);
    f("none", self.none);
    f("perhaps", self.perhaps);
    f("absent", self.absent);
    f("deque", self.deque);
    f("list", self.list);
    f("map", self.map);
    f("nested", self.nested);
    f("tuple", self.tuple);
    f("pair", self.pair);
    f("either", self.either);
    f("other", self.other);
    f("array", self.array);
    f("bias", self.bias);
    f("biases", self.biases);
    f("rate", self.rate);
  }
};

}  // namespace

TEST_CASE("parts in every kind of holder are named, trained, saved and moved") {
  // As of a PyTorch module whose attributes are these layers, nn.ModuleList for lists and tuples,
  // nn.ModuleDict for maps (here in the order of their keys), nn.Parameter, nn.ParameterDict; None
  // has no entry, and a layer under two names has both in list(net.state_dict()).
  std::vector<std::string> expected{"bias", "biases.b"}, once = expected;
  for (const char* layer : {"unique", "shared", "same", "perhaps", "deque.0", "deque.1", "list.0",
                            "map.liver", "map.lung", "nested.3.0", "tuple.0", "tuple.2", "pair.0",
                            "pair.1", "either", "array.0", "array.1"})
    for (const char* name : {".weight", ".bias"}) {
      expected.push_back(std::string(layer) + name);
      if (layer != std::string("same")) once.push_back(expected.back());
    }
  Held net;
  CHECK(state_names(net) == expected);
  const Held& constant = net;
  CHECK(state_names(constant) == expected);
  // net.named_parameters() has what is shared once, under its first name.
  std::vector<std::string> names;
  nn::visit_parameters(net, [&](const std::string& name, auto&) { names.push_back(name); });
  CHECK(names == once);
  CHECK(nn::count_parameters(net) == 2 * 2 + 16 * 6);
  int modules = 0;
  nn::visit_modules(net, [&](const std::string&, auto&) { ++modules; });
  CHECK(modules == 1 + 16 + 1 + 1);  // itself, layers, dropout, identity; not the number

  // Every one of them learns.
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
  const auto x = Tensor<double, 2>({1, 2}, {0.3, -0.8});
  const auto gradients = gradcheck(net, x);
  INFO(gradients.message);
  CHECK(gradients);
  CHECK(gradients.compared == 2 + 100 + 6);  // those of "same" twice
  std::vector<std::vector<double>> before;
  nn::visit_parameters(net, [&](const std::string&, auto& p) {
    before.push_back(p.value().values());
    p.zero_grad();
  });
  {
    Tape tape;
    backward(sum(square(net(tape.input(x)))));
  }
  opt.step();
  std::size_t k = 0;
  nn::visit_parameters(net, [&](const std::string& name, auto& p) {
    INFO(name);
    CHECK(p.value().values() != before[k++]);
  });

  // On another device (here the same), and from one network to another.
  Held copy;
  nn::copy_state(net, copy);
  CHECK(copy(x).values() == net(x).values());
  CHECK_THROWS_WITH(to<Cpu>(net), Contains("a part is shared by several shared_ptrs"));
  net.same.reset();
  const Held moved = to<Cpu>(net);
  std::vector<std::vector<double>> there;
  nn::visit_state(moved, [&](const std::string&, auto& v) { there.push_back(v.value().values()); });
  k = 0;
  nn::visit_state(net,
                  [&](const std::string&, auto& v) { CHECK(v.value().values() == there[k++]); });
  CHECK(k == there.size());
}
