// A program that opens both namespaces. Functions of both are told apart by what they are given; of
// ebb's other names two are a class in std as well, and are written out: ebb::stack, ebb::slice.
using namespace std;
using namespace ebb;

inline void use_names_of_both() {
  const Tensor<float, 2> x({1, 2}, {1, 2});
  Tape tape;
  const auto v = tape.watch(x);
  const Generator generator{.seed = 7};
  static_cast<void>(generator == Generator{});
  static_cast<void>(exp(1.0) + log(2.0) + sqrt(4.0) + tanh(0.5) + sin(0.5) + cos(0.5) + abs(-1.0));
  static_cast<void>(tanh(x) + exp(x) + log(x) + sqrt(x) + abs(x) + sin(x) + cos(x) + pow(x, 2.0f));
  static_cast<void>(sum(tanh(v) * exp(v) + sigmoid(v) + maximum(v, x)));
  static_cast<void>(max(x, 1));
  static_cast<void>(max(1, 2) + min(1, 2));
  static_cast<void>(ebb::stack({x, x}, 0));
  static_cast<void>(ebb::slice(x, 0, 0, 1));
  ostringstream text;
  text << x << v << x.shape() << tape << nn::Linear<>(2, 2) << nn::Linear<>(2, 2).weight;
  text << nn::Sequential(nn::Linear<>(2, 2), nn::tanh, sigmoid) << "and " << 1 << string("text");
  std::stack<int> numbers;
  numbers.push(1);
  map<string, int> counts;
  counts["one"] = 1;
  vector<int> values{3, 1, 2};
  sort(values.begin(), values.end());
  static_cast<void>(reduce(values.begin(), values.end()));
  fill(values.begin(), values.end(), 1);
}
