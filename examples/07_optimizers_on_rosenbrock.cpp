// Which way do optimizers walk, and why do they differ?
//
// Rosenbrock's function (1960) is a curved valley with steep walls and an almost flat floor:
//
//     f(x, y) = (1 - x)^2 + 100 (y - x^2)^2,      least at (1, 1).
//
// The gradient points across the valley, hardly along it. Plain gradient descent must take steps
// small enough for the walls, and then crawls along the floor. Momentum gathers speed along the
// floor. Adaptive rules (Adagrad, RMSprop, Adam, ...) give each coordinate a step of its own.
// L-BFGS learns the curvature from the gradients it sees and jumps.
//
// Look at the end of the race, too: rules that divide by the size of the gradient never take small
// steps by themselves, so with a fixed learning rate they keep jumping about the minimum. That is
// what schedules are for.
//
//     07_optimizers_on_rosenbrock [folder for the picture, default .]

#include <ebb/ebb.hpp>
#include <ebb/train/plot.hpp>

#include <cstdio>
#include <string>
#include <vector>

using namespace ebb;

// The point that moves. As a network: two parameters and no input.
struct Point {
  Param<Tensor<double, 0>> x = Tensor<double, 0>(-1.5), y = Tensor<double, 0>(2.0);

  static void visit(auto& self, auto&& f) {
    f("x", self.x);
    f("y", self.y);
  }
};

auto rosenbrock(const auto& x, const auto& y) {
  return square(1.0 - x) + 100.0 * square(y - square(x));
}

constexpr int steps = 2000;

// Runs one optimizer, and keeps where it went.
struct Walk {
  plot::Line path, fall;  // (x, y), and f after every step
  double end = 0;         // f at the end
  int arrived = -1;       // the first step with f < 1e-3

  explicit Walk(const std::string& name) {
    path.label = fall.label = name;
    path.marked = fall.marked = true;
  }

  void see(const Point& p, int step) {
    const double x = p.x.value().item(), y = p.y.value().item();
    path.x.push_back(x);
    path.y.push_back(y);
    end = rosenbrock(p.x.value(), p.y.value()).item();
    fall.x.push_back(step);
    fall.y.push_back(end > 1e-12 ? end : 1e-12);
    if (end < 1e-3 && arrived < 0) arrived = step;
  }
};

template <class Rule>
Walk walk(const std::string& name, Rule rule) {
  Point point;
  optim::Optimizer optimizer(point, rule);
  Walk w(name);
  for (int step = 0; step <= steps; ++step) {
    w.see(point, step);
    Tape tape;
    const auto f = rosenbrock(tape.watch(point.x), tape.watch(point.y));
    optimizer.zero_grad();
    backward(f);
    optimizer.step();
  }
  return w;
}

Walk walk_lbfgs() {
  Point point;
  optim::Lbfgs optimizer(point, {.max_iterations = 1});
  Walk w("L-BFGS");
  for (int step = 0; step <= 100; ++step) {
    w.see(point, step);
    optimizer.step([&] {
      Tape tape;
      const auto f = rosenbrock(tape.watch(point.x), tape.watch(point.y));
      backward(f);
      return f.item();
    });
  }
  return w;
}

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  const std::vector<Walk> walks{
      walk("gradient descent", optim::GradientDescent{.lr = 1e-3}),
      walk("momentum", optim::Sgd{.lr = 1e-3, .momentum = 0.9}),
      walk("Nesterov", optim::Sgd{.lr = 1e-3, .momentum = 0.9, .nesterov = true}),
      walk("Adagrad", optim::Adagrad{.lr = 0.5}),
      walk("RMSprop", optim::RMSprop{.lr = 0.01}),
      walk("Adadelta", optim::Adadelta{.lr = 3.0}),
      walk("Adam", optim::Adam{.lr = 0.05}),
      walk("NAdam", optim::NAdam{.lr = 0.02}),
      walk("Lion", optim::Lion{.lr = 0.003}),
      walk_lbfgs(),
  };

  std::printf("%-18s %12s   %s\n", "from (-1.5, 2)", "f at the end", "first step with f < 0.001");
  for (const Walk& w : walks) {
    std::printf("%-18s %12.3g   ", w.path.label.c_str(), w.end);
    if (w.arrived >= 0)
      std::printf("%d\n", w.arrived);
    else
      std::printf("not within %d steps\n", steps);
  }

  try {
    const std::string valley = folder + "/rosenbrock.svg", race = folder + "/rosenbrock_race.svg";
    std::vector<plot::Line> paths, falls;
    for (const std::size_t which : {0u, 1u, 4u, 6u, 9u}) paths.push_back(walks[which].path);
    for (const Walk& w : walks) falls.push_back(w.fall);
    const auto f = [](double x, double y) {
      return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x);
    };
    plot::contour(valley, f, {-2, 2}, {-1, 3}, paths,
                  {.title = "Five optimizers in Rosenbrock's valley",
                   .x = "x",
                   .y = "y",
                   .width = 860,
                   .height = 620});
    plot::lines(race, falls,
                {.title = "The race: how fast f falls",
                 .x = "step",
                 .y = "f",
                 .log_y = true,
                 .x_range = {0, 2700},
                 .width = 900,
                 .height = 560});
    std::printf("\nthe paths: %s\nthe race:  %s\n", valley.c_str(), race.c_str());
  } catch (const Error& error) {
    std::printf("\nno picture: %s\n", error.what());
  }
  return walks.back().end < 1e-6 ? 0 : 1;
}
