#include <ebb/ops/loss/cross_entropy.hpp>
#include <ebb/ops/normalisation/log_softmax.hpp>
#include <ebb/ops/normalisation/softmax.hpp>
#include <ebb/tape/forward.hpp>

#include "tests/support/gradients.hpp"
#include "tests/support/random.hpp"
#include "tests/support/switches.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using test::contains;

TEST_CASE("cross_entropy: values and gradients as PyTorch has them", "[ops][loss]") {
  // x, l = ramp(3, 4).requires_grad_(), torch.tensor([2, 0, 3])             # rows
  // x, l = ramp(2, 4, 2, 2).requires_grad_(), torch.tensor([[[2, 0], [3, 1]], [[1, 1], [0, 2]]])
  // w = torch.tensor([0.5, 1, 2, 0.25], dtype=torch.float64)
  // y = F.cross_entropy(x, l, [arguments]); y.backward(); print(y.item(),
  // x.grad.flatten().tolist())
  const auto rows = test::ramp<double>(Shape{3, 4});
  const auto pixels = test::ramp<double>(Shape{2, 4, 2, 2});
  const Tensor<int, 1> rows_labels({3}, {2, 0, 3});
  const Tensor<int, 3> pixel_labels({2, 2, 2}, {2, 0, 3, 1, 1, 1, 0, 2});
  const Tensor<double, 1> w({4}, {0.5, 1, 2, 0.25});
  const auto check = [](const auto& x, const auto& labels,
                        const CrossEntropyOptions<double>& options, double value,
                        const std::vector<double>& dx) {
    INFO(to_string(x.shape()) << ", value " << value);
    CHECK(std::abs(cross_entropy(x, labels, options).item() - value) < 1e-13);
    Tape tape;
    const auto v = tape.watch(x);
    const auto y = cross_entropy(v, labels, options);
    backward(y, Retain::yes);
    CHECK(test::difference(v.grad(), dx) < 1e-14);
    backward(y);  // adds up
    std::vector<double> twice;
    for (double d : dx) twice.push_back(2 * d);
    CHECK(test::difference(v.grad(), twice) < 1e-14);
    CHECK_GRADIENTS([&](const auto& z) { return cross_entropy(z, labels, options); }, x);
  };
  // (defaults)
  check(rows, rows_labels, {}, 2.088075858538421,
        {0.015832231551988273, 0.09110820205621407, -0.2998164988747584, 0.19287606526655612,
         -0.25515361194164454, 0.02876071221651353, 0.1655064714849795, 0.0608864282401515,
         0.03454087014838586, 0.1987689837874677, 0.07312302267794911, -0.3064328766138027});
  check(pixels, pixel_labels, {}, 1.580608771555751,
        {0.009983772645080007, -0.08245998186493916, 0.009983772645080007, 0.07198515088050284,
         0.04474416474419522,  0.012187919254214407, 0.04474416474419522,  -0.1043759089700314,
         -0.11218058216928548, 0.05462246451177557,  0.012819417830714532, 0.005908901010967223,
         0.05745264478001023,  0.0156495980989492,   -0.06754735521998978, 0.026481857078561346,
         0.009983772645080007, 0.04254001813506083,  -0.08245998186493916, 0.009983772645080007,
         -0.08025583525580478, -0.1128120807457856,  0.012187919254214407, 0.04474416474419522,
         0.012819417830714532, 0.05462246451177557,  0.05462246451177557,  -0.11218058216928548,
         0.05745264478001023,  0.0156495980989492,   0.0156495980989492,   0.05745264478001023});
  // reduction='sum'
  check(rows, rows_labels, {.reduction = Reduction::sum}, 6.264227575615263,
        {0.04749669465596482, 0.27332460616864224, -0.8994494966242753, 0.5786281957996684,
         -0.7654608358249336, 0.0862821366495406, 0.49651941445493847, 0.1826592847204545,
         0.1036226104451576, 0.5963069513624032, 0.21936906803384734, -0.9192986298414081});
  check(pixels, pixel_labels, {.reduction = Reduction::sum}, 12.644870172446009,
        {0.07987018116064006, -0.6596798549195133, 0.07987018116064006, 0.5758812070440227,
         0.3579533179535618,  0.09750335403371525, 0.3579533179535618,  -0.8350072717602512,
         -0.8974446573542838, 0.43697971609420455, 0.10255534264571625, 0.047271208087737784,
         0.4596211582400818,  0.1251967847915936,  -0.5403788417599182, 0.21185485662849077,
         0.07987018116064006, 0.34032014508048664, -0.6596798549195133, 0.07987018116064006,
         -0.6420466820464382, -0.9024966459662848, 0.09750335403371525, 0.3579533179535618,
         0.10255534264571625, 0.43697971609420455, 0.43697971609420455, -0.8974446573542838,
         0.4596211582400818,  0.1251967847915936,  0.1251967847915936,  0.4596211582400818});
  // weight=[0.5, 1, 2, 0.25]
  check(rows, rows_labels, {.weights = w}, 2.163093305919936,
        {0.03454305065888351, 0.19878153175901253, -0.6541450884540184, 0.4208205060361225,
         -0.1391746974227152, 0.015687661209007383, 0.09027625717362518, 0.03321077904008264,
         0.009420237313196146, 0.054209722851127566, 0.019942642548531578, -0.08357260271285528});
  check(pixels, pixel_labels, {.weights = w}, 1.8834778840665196,
        {0.019362468160155164, -0.0399805972678493,  0.0024203085200193955, 0.06980378267200275,
         0.0867765619281362,   0.005909294183861531, 0.010847070241017024,  -0.10121300263760621,
         -0.21756234117679607, 0.026483619157224518, 0.0031077376559307955, 0.005729843404574277,
         0.11142331108850469,  0.007587683926763249, -0.01637511641696722,  0.025679376561029185,
         0.009681234080077582, 0.041250926676422627, -0.0399805972678493,   0.019362468160155164,
         -0.07782384024805312, -0.10939353284439815, 0.005909294183861531,  0.0867765619281362,
         0.012430950623723182, 0.052967238314449036, 0.026483619157224518,  -0.21756234117679607,
         0.05571165554425234,  0.015175367853526498, 0.007587683926763249,  0.11142331108850469});
  // ignore_index=0
  check(rows, rows_labels, {.ignore_index = 0}, 2.40704744099107,
        {0.02374834732798241, 0.13666230308432112, -0.44972474831213766, 0.2893140978998342, 0.0,
         0.0, 0.0, 0.0, 0.0518113052225788, 0.2981534756812016, 0.10968453401692367,
         -0.45964931492070404});
  check(pixels, pixel_labels, {.ignore_index = 0}, 1.7481888616662624,
        {0.013311696860106675,
         0.0,
         0.013311696860106675,
         0.09598020117400377,
         0.05965888632559363,
         0.0,
         0.05965888632559363,
         -0.1391678786267085,
         -0.1495741095590473,
         0.0,
         0.017092557107619373,
         0.00787853468128963,
         0.07660352637334697,
         0.0,
         -0.09006314029331969,
         0.03530914277141513,
         0.013311696860106675,
         0.056720024180081104,
         0.0,
         0.013311696860106675,
         -0.10700778034107303,
         -0.15041610766104746,
         0.0,
         0.05965888632559363,
         0.017092557107619373,
         0.07282995268236742,
         0.0,
         -0.1495741095590473,
         0.07660352637334697,
         0.020866130798598934,
         0.0,
         0.07660352637334697});
  // label_smoothing=0.1
  check(rows, rows_labels, {.label_smoothing = 0.1}, 2.048492525205088,
        {0.007498898218654943, 0.08277486872288076, -0.27481649887475845, 0.18454273193322282,
         -0.23015361194164452, 0.020427378883180206, 0.1571731381516462, 0.052553094906818185,
         0.026207536815052536, 0.1904356504541344, 0.06478968934461579, -0.28143287661380273});
  check(pixels, pixel_labels, {.label_smoothing = 0.1}, 1.586077521555751,
        {0.006858772645080007, -0.07308498186493917, 0.006858772645080007, 0.06886015088050283,
         0.04161916474419522,  0.009062919254214406, 0.04161916474419522,  -0.09500090897003141,
         -0.10280558216928548, 0.051497464511775566, 0.009694417830714532, 0.002783901010967223,
         0.054327644780010224, 0.012524598098949201, -0.05817235521998978, 0.023356857078561347,
         0.006858772645080007, 0.03941501813506083,  -0.07308498186493917, 0.006858772645080007,
         -0.07088083525580478, -0.1034370807457856,  0.009062919254214406, 0.04161916474419522,
         0.009694417830714532, 0.051497464511775566, 0.051497464511775566, -0.10280558216928548,
         0.054327644780010224, 0.012524598098949201, 0.012524598098949201, 0.054327644780010224});
  // label_smoothing=1.0
  check(rows, rows_labels, {.label_smoothing = 1}, 1.6922425252050877,
        {-0.06750110178134505, 0.007774868722880746, -0.04981649887475845, 0.1095427319332228,
         -0.005153611941644533, -0.0545726211168198, 0.08217313815164615, -0.02244690509318183,
         -0.04879246318494747, 0.1154356504541344, -0.01021031065538422, -0.05643287661380271});
  check(
      pixels, pixel_labels, {.label_smoothing = 1}, 1.6352962715557506,
      {-0.021266227354919995, 0.01129001813506083,   -0.021266227354919995, 0.040735150880502835,
       0.013494164744195222,  -0.019062080745785595, 0.013494164744195222,  -0.010625908970031399,
       -0.01843058216928547,  0.02337246451177557,   -0.01843058216928547,  -0.02534109898903278,
       0.026202644780010227,  -0.0156004019010508,   0.026202644780010227,  -0.004768142921438654,
       -0.021266227354919995, 0.01129001813506083,   0.01129001813506083,   -0.021266227354919995,
       0.013494164744195222,  -0.019062080745785595, -0.019062080745785595, 0.013494164744195222,
       -0.01843058216928547,  0.02337246451177557,   0.02337246451177557,   -0.01843058216928547,
       0.026202644780010227,  -0.0156004019010508,   -0.0156004019010508,   0.026202644780010227});
  // weight=[0.5, 1, 2, 0.25], ignore_index=1, label_smoothing=0.3
  check(rows, rows_labels, {.weights = w, .ignore_index = 1, .label_smoothing = 0.3},
        2.0014158616500612,
        {0.015401388323760312, 0.13982799786219263, -0.5021634422543865, 0.34693405606843364,
         -0.0870716918598143, -0.007467054996355455, 0.05942832013624723, 0.03511042671992251,
         0.0035555694602193277, 0.07166001693058052, -0.018150131894384417, -0.05706545449641544});
  check(pixels, pixel_labels, {.weights = w, .ignore_index = 1, .label_smoothing = 0.3},
        1.829990399572294,
        {0.018434617538347825,
         -0.03289007779389387,
         -0.00020175806580151906,
         0.0,
         0.1003445744398906,
         -0.002562096717374713,
         0.016822133584059536,
         0.0,
         -0.26239596765274087,
         0.023970180149422215,
         -0.019658880936741324,
         0.0,
         0.14361677567450237,
         0.011481994361846375,
         0.0030385054184832983,
         0.0,
         0.0,
         0.0,
         -0.03289007779389387,
         0.018434617538347825,
         0.0,
         0.0,
         -0.002562096717374713,
         0.1003445744398906,
         0.0,
         0.0,
         0.023970180149422215,
         -0.26239596765274087,
         0.0,
         0.0,
         0.011481994361846375,
         0.14361677567450237});
  // weight=[0.5, 1, 2, 0.25], reduction='sum', label_smoothing=0.2
  check(rows, rows_labels, {.weights = w, .label_smoothing = 0.2, .reduction = Reduction::sum},
        5.652097943451722,
        {0.05990034169753712, 0.438567733526448, -1.5202659752158922, 1.0217978999919073,
         -0.28720824104714854, 0.0006907552816051001, 0.19170515599227636, 0.09481232977326702,
         0.015153761547498574, 0.18106894365293127, -0.014994486136884146, -0.18122821906354566});
  check(pixels, pixel_labels, {.weights = w, .label_smoothing = 0.2, .reduction = Reduction::sum},
        15.023742192172659,
        {0.1177679488246441,    -0.22506191476521414, 0.005949695199748025,  0.5436826919559724,
         0.5898415558419917,    0.00728322049480771,  0.0887069107070052,    -0.6870696808632482,
         -1.5166823250207824,   0.1567255832053452,   -0.060259804724784954, -0.05331968201335894,
         0.8090728203541463,    0.06105311106506124,  -0.034396801181968285, 0.19670667092063465,
         0.05387180389613205,   0.31106614326698057,  -0.22506191476521414,  0.1177679488246441,
         -0.4965210985208578,   -0.7537154378917063,  0.00728322049480771,   0.5898415558419917,
         0.0012734008626447979, 0.33151746964302703,  0.1567255832053452,    -1.5166823250207824,
         0.4413758937620808,    0.11113182498169868,  0.06105311106506124,   0.8090728203541463});
}

TEST_CASE("cross_entropy: is log-softmax and negative log likelihood in one", "[ops][loss]") {
  const auto x = test::random<double>(Shape{5, 7, 3}, 1, -3, 3);
  Tensor<int, 2> labels(Shape{5, 3});
  double expected = 0;
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 3; ++j) {
      labels(i, j) = static_cast<int>((3 * i + j) % 7);
      expected -= log_softmax(x, 1)(i, labels(i, j), j) / 15;
    }
  CHECK(std::abs(cross_entropy(x, labels).item() - expected) < 1e-14);
}

TEST_CASE("cross_entropy: logits of any size", "[ops][loss]") {
  const Tensor<float, 2> x({3, 3}, {1e4f, 0, -1e4f, -1e4f, 1e4f, 0, 1e4f, 9999, 9998});
  const Tensor<int, 1> labels({3}, {0, 0, 1});
  Tape tape;
  const auto v = tape.watch(x);
  const auto y = cross_entropy(v, labels, {.reduction = Reduction::sum});
  // F.cross_entropy(torch.tensor([[2., 1, 0]], dtype=torch.float64), torch.tensor([1]))
  CHECK(std::abs(y.item() - (20000 + 1.4076059644443804f)) < 2e-3f);
  backward(y);
  CHECK(v.grad()(0, 0) == 0);
  CHECK(v.grad()(1, 0) == -1);
  CHECK(v.grad()(1, 1) == 1);
  // torch.tensor([2., 1, 0]).softmax(0)
  CHECK(std::abs(v.grad()(2, 0) - 0.6652409434318542f) < 1e-6f);
  CHECK(std::abs(v.grad()(2, 1) - (0.2447284758090973f - 1)) < 1e-6f);
}

TEST_CASE("cross_entropy: what a softmax in front of it costs", "[ops][loss]") {
  // As sure and right as ten logits can be: the loss is nothing, and with a softmax before it
  // log(1 + 9 / e); and the gradient of what is sure and wrong is gone.
  auto x = Tensor<double, 2>::zeros(Shape{1, 10});
  x(0, 3) = 50;
  const Tensor<int, 1> right({1}, {3}), wrong({1}, {4});
  CHECK(cross_entropy(x, right).item() < 1e-15);
  CHECK(std::abs(cross_entropy(softmax(x), right).item() - std::log1p(9 / std::exp(1.0))) < 1e-12);
  const auto slope = [&](auto before) {
    Tape tape;
    const auto v = tape.watch(x);
    backward(cross_entropy(before(v), wrong));
    return v.grad()(0, 4);
  };
  CHECK(std::abs(slope([](const auto& v) { return v; }) + 1) < 1e-15);
  CHECK(std::abs(slope(softmax)) < 1e-15);
}

TEST_CASE("cross_entropy: smoothing outside its range", "[ops][loss]") {
  const auto x = test::random<float>(Shape{1, 3});
  const Tensor<int, 1> label({1}, {0});
  CHECK(test::error_of<ValueError>([&] { cross_entropy(x, label, {.label_smoothing = 1.5}); }) ==
        "cross_entropy: label_smoothing must be in [0, 1], not 1.5");
  CHECK(contains(
      test::error_of<ValueError>([&] { cross_entropy(x, label, {.label_smoothing = -0.1}); }),
      "not -0.1"));
  CHECK(contains(
      test::error_of<ValueError>([&] { cross_entropy(x, label, {.label_smoothing = NAN}); }),
      "must be in [0, 1]"));
}

TEST_CASE("cross_entropy: an ignored line gets no gradient, be it nan", "[ops][loss]") {
  const Tensor<double, 2> x({2, 2}, {NAN, INFINITY, 1, 2});
  Tape tape;
  const auto v = tape.watch(x);
  const auto y = cross_entropy(v, Tensor<int, 1>({2}, {-100, 0}));
  CHECK(std::isfinite(y.item()));
  backward(y);
  CHECK(v.grad()(0, 0) == 0);
  CHECK(v.grad()(0, 1) == 0);
  CHECK(v.grad()(1, 0) < 0);
}

TEST_CASE("cross_entropy: shapes, labels and weights that do not fit", "[ops][loss]") {
  const Tensor<float, 2> x(Shape{3, 10});
  const Tensor<float, 4> image(Shape{2, 5, 4, 3});
  const auto text = [](const auto& scores, const auto& labels,
                       const CrossEntropyOptions<float>& options = {}) {
    return test::error_of<Error>([&] { cross_entropy(scores, labels, options); });
  };
  CHECK(text(x, Tensor<int, 1>({3}, {0, 10, 2})) ==
        "cross_entropy: label 10 at position (1) is out of range; with 10 classes labels are 0 to "
        "9, or "
        "-100 to be ignored");
  CHECK(contains(
      text(x, Tensor<int, 1>({3}, {0, 1, -1}), {.ignore_index = -7}),
      "label -1 at position (2) is out of range; with 10 classes labels are 0 to 9, or -7"));
  auto labels = Tensor<int, 3>::zeros(Shape{2, 4, 3});
  labels(1, 2, 1) = 99;
  labels(1, 3, 2) = -5;
  CHECK(contains(text(image, labels), "label 99 at position (1, 2, 1)"));
  CHECK(text(x, Tensor<int, 1>::zeros(Shape{4})) ==
        "cross_entropy: labels of shape (4) do not fit an input of shape (3, 10) (batch, classes, "
        "...); they "
        "need shape (3)");
  CHECK(contains(text(image, Tensor<int, 3>::zeros(Shape{2, 3, 4})), "they need shape (2, 4, 3)"));
  CHECK(text(x, Tensor<int, 1>::zeros(Shape{3}), {.weights = Tensor<float, 1>::ones(Shape{9})}) ==
        "cross_entropy: 9 class weights are given, but an input of shape (3, 10) has 10 classes on "
        "axis 1");
  CHECK(contains(text(Tensor<float, 2>(Shape{3, 0}), Tensor<int, 1>::zeros(Shape{3})),
                 "(3, 0) has no classes on axis 1"));

  // Where no label counts PyTorch yields nan (a mean) or 0 (a sum).
  const auto ignored = Tensor<int, 1>::full(Shape{3}, -100);
  const auto zeros = Tensor<float, 2>::zeros(Shape{3, 10});
  CHECK(
      text(zeros, ignored) ==
      "cross_entropy: every label of the batch is the ignored one, and the mean of no terms is not "
      "defined; skip such a batch, or use Reduction::sum, which is 0");
  Tape tape;
  const auto v = tape.watch(zeros);
  const auto y = cross_entropy(v, ignored, {.reduction = Reduction::sum});
  CHECK(y.item() == 0);
  backward(y);
  CHECK(test::same_bits(v.grad(), zeros));
}

TEST_CASE("cross_entropy: labels whose weights are all zero", "[ops][loss]") {
  // x = torch.zeros(2, 3, requires_grad=True); w = torch.tensor([0., 1, 1])
  // F.cross_entropy(x, torch.tensor([0, 0]), w).backward() -> nan, all of the gradient nan
  // F.cross_entropy(x, torch.tensor([0, 0]), w, reduction='sum').backward() -> 0, 0
  const auto zeros = Tensor<float, 2>::zeros(Shape{2, 3});
  const auto labels = Tensor<int, 1>::zeros(Shape{2});
  const Tensor<float, 1> weights({3}, {0, 1, 1});
  for (const bool mean : {true, false}) {
    Tape tape;
    const auto x = tape.watch(zeros);
    const auto y = cross_entropy(
        x, labels, {.weights = weights, .reduction = mean ? Reduction::mean : Reduction::sum});
    backward(y);
    CHECK(std::isnan(y.item()) == mean);
    for (const float d : x.grad().values()) CHECK((mean ? std::isnan(d) : d == 0));
  }
}

TEST_CASE("cross_entropy: any number of threads, and dual numbers", "[ops][loss]") {
  const auto many = test::random<float>(Shape{8, 10, 60, 61}, 1);
  Tensor<int, 3> labels(Shape{8, 60, 61});
  for (Index i = 0; i < labels.size(); ++i)
    labels.mutable_data()[i] = i % 17 == 0 ? -100 : static_cast<int>(i * 7 % 10);
  const auto loss = [&](const auto& x) { return cross_entropy(x, labels); };
  CHECK(test::same_for_any_threads([&] { return loss(many); }));
  CHECK(test::same_for_any_threads([&] {
    Tape tape;
    const auto v = tape.watch(many);
    backward(loss(v));
    return v.grad();
  }));
  long bad = 0;
  labels.mutable_data()[20001] = 10;  // found wherever it is
  labels.mutable_data()[29000] = -1;
  for (int threads : {1, 3}) {
    const test::Threads switched(threads);
    bad += contains(test::error_of<ValueError>([&] { loss(many); }),
                    "label 10 at position (5, 27, 54)");
  }
  CHECK(bad == 2);

  const auto x = test::random<double>(Shape{3, 4}, 1);
  const auto along = test::random<double>(Shape{3, 4}, 2);
  const Tensor<int, 1> few({3}, {3, 1, 0});
  const auto f = [&](const auto& v) { return cross_entropy(v, few, {.label_smoothing = 0.1}); };
  Tape tape;
  const auto v = tape.watch(x);
  backward(f(v));
  double product = 0;
  const auto dx = v.grad().values();
  for (std::size_t i = 0; i < dx.size(); ++i) product += dx[i] * along.values()[i];
  const auto y = jvp(f, x, along);
  CHECK(std::abs(y.value.item() - f(x).item()) < 1e-14);
  CHECK(std::abs(y.tangent.item() - product) < 1e-14);
}
