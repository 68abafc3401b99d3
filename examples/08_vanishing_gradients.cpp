// Why could nobody train deep networks, and what changed?
//
// The gradient of an early layer is a product of one factor per layer above it. If the factors are
// below 1, the product vanishes and the early layers never learn; above 1, it explodes and one step
// destroys the network. A sigmoid's slope is at most 1/4, so twenty of them leave at most 10^-12.
//
// Here are twenty layers of sixty-four units, six times over. For each, the norm of the gradient
// that arrives at every layer, before any training:
//
//   broken    sigmoid, weights of deviation 0.125 (1 / sqrt 64)    vanishes
//             relu, weights of deviation 0.3                       explodes
//   cured     by initialisation   relu, Kaiming: deviation sqrt(2 / 64), so that a layer keeps the
//                                 size of what passes through it
//             by activation       tanh, Xavier: slope 1 at zero
//             by normalisation    sigmoid after batch norm, which keeps its input where it slopes
//             by residuals        sigmoid, x + f(x): the gradient has a way around every layer
//
// Then the exploding network is trained for a few steps, without and with clipping of the gradient.
//
//     08_vanishing_gradients [folder for the picture, default .]

#include <ebb/data.hpp>
#include <ebb/ebb.hpp>
#include <ebb/train/plot.hpp>

#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

using namespace ebb;

constexpr int depth = 20;
constexpr Index width = 64;

// The first layer reads the image, the last gives ten logits; between them, the deep part.
struct Net {
  nn::Linear<> first{28 * 28, width};
  nn::Stack<2> hidden;
  nn::Linear<> last{width, 10};

  auto operator()(const auto& images) const { return last(hidden(first(flatten(images)))); }
  static void visit(auto& self, auto&& f) {
    f("first", self.first);
    f("hidden", self.hidden);
    f("last", self.last);
  }
};

nn::Linear<> layer(const std::function<void(const Tensor<float, 2>&)>& initialise) {
  nn::Linear<> linear(width, width);
  initialise(linear.weight.value());
  nn::init::zeros(linear.bias);
  return linear;
}
auto deviation(double d) {
  return [d](const Tensor<float, 2>& w) { nn::init::normal(w, 0, d); };
}

struct Recipe {
  const char* name;
  std::function<void(nn::Stack<2>&)> add_layer;
};

Net build(const Recipe& recipe) {
  manual_seed(1);
  Net net;
  for (int i = 0; i < depth; ++i) recipe.add_layer(net.hidden);
  nn::name_parameters(net);
  return net;
}

// The norm of the gradient at the output of each hidden layer, first layer first. A tape that keeps
// gradients lets us look at those of intermediate values.
std::vector<double> gradient_norms(const Net& net, const data::Batch& batch) {
  Tape tape({.keep_gradients = true});
  std::vector<Var<Tensor<float, 2>>> outputs;
  auto x = net.first(flatten(tape.input(batch.images)));
  const Index parts = net.hidden.size() / depth;  // linear and activation, say
  for (Index i = 0; i < net.hidden.size(); ++i) {
    x = net.hidden[i](x);
    if (i % parts == parts - 1) outputs.push_back(x);
  }
  backward(cross_entropy(net.last(x), batch.labels));
  std::vector<double> norms;
  for (const auto& y : outputs)
    norms.push_back(std::sqrt(static_cast<double>(sum(square(y.grad())).item())));
  return norms;
}

auto loss_of(const Net& net, Tape& tape, const data::Batch& batch) {
  return cross_entropy(net(tape.input(batch.images)), batch.labels);
}

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  const std::vector<Recipe> recipes{
      {"sigmoid", [](auto& s) { s.add(layer(deviation(0.125))).add(sigmoid); }},
      {"relu, large weights", [](auto& s) { s.add(layer(deviation(0.3))).add(relu); }},
      {"relu, Kaiming",
       [](auto& s) { s.add(layer([](const auto& w) { nn::init::kaiming_normal(w); })).add(relu); }},
      {"tanh, Xavier",
       [](auto& s) {
         s.add(layer([](const auto& w) { nn::init::xavier_normal(w); })).add(nn::tanh);
       }},
      {"sigmoid, batch norm",
       [](auto& s) { s.add(layer(deviation(0.125))).add(nn::BatchNorm1d<>(width)).add(sigmoid); }},
      {"sigmoid, residual",
       [](auto& s) { s.add(nn::Residual(nn::Sequential(layer(deviation(0.125)), sigmoid))); }},
  };

  data::Loader loader(data::stroke_digits(640), {.batch_size = 64});
  const data::Batch batch = *loader.begin();

  std::printf("norm of the gradient     layer 1   layer 10   layer 20   first / last\n");
  std::vector<plot::Line> lines;
  std::vector<double> ratios;
  for (const Recipe& recipe : recipes) {
    const Net net = build(recipe);
    const std::vector<double> norms = gradient_norms(net, batch);
    ratios.push_back(norms.front() / norms.back());
    std::printf("%-21s  %9.2g  %9.2g  %9.2g      %9.2g\n", recipe.name, norms.front(),
                norms[depth / 2 - 1], norms.back(), ratios.back());
    plot::Line line{.label = recipe.name, .marked = true};
    for (int i = 0; i < depth; ++i) {
      line.x.push_back(i + 1);
      line.y.push_back(norms[static_cast<std::size_t>(i)]);
    }
    lines.push_back(line);
  }

  // Clipping: when the norm of the whole gradient is above 1, scale it down to 1.
  std::printf("\nten steps with the exploding network, learning rate 0.01:\n");
  double clipped_loss = 0;
  for (const bool clip : {false, true}) {
    Net net = build(recipes[1]);
    optim::Optimizer optimizer(net, optim::Sgd{.lr = 0.01});
    std::printf("%-9s loss", clip ? "clipped" : "as it is");
    for (int step = 0; step < 10; ++step) {
      Tape tape;
      const auto loss = loss_of(net, tape, batch);
      optimizer.zero_grad();
      backward(loss);
      if (clip) optim::clip_grad_norm(net, 1.0);
      optimizer.step();
      clipped_loss = static_cast<double>(loss.item());
      std::printf(" %8.3g", std::isnan(clipped_loss) ? std::abs(clipped_loss) : clipped_loss);
    }
    std::printf("\n");
  }

  try {
    const std::string path = folder + "/vanishing_gradients.svg";
    plot::lines(path, lines,
                {.title = "Twenty layers: the gradient that reaches each, before training",
                 .x = "layer",
                 .y = "norm of the gradient",
                 .log_y = true,
                 .x_range = {0.5, 20.5},
                 .width = 900,
                 .height = 520,
                 .key_below = true});
    std::printf("\nthe picture: %s\n", path.c_str());
  } catch (const Error& error) {
    std::printf("\nno picture: %s\n", error.what());
  }
  const bool as_told = ratios[0] < 1e-6 && ratios[1] > 1e2 && ratios[2] > 0.01 && ratios[4] > 0.01;
  return as_told && std::isfinite(clipped_loss) ? 0 : 1;
}
