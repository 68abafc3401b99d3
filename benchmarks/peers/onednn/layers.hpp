/// \file
/// Layers of a network on oneDNN: each adds its forward primitives to a program when it is made,
/// and its backward primitives when asked. Weights stay in the format of the forward pass.
#pragma once

#include "benchmarks/peers/onednn/program.hpp"

namespace bench {

constexpr float learning_rate = 0.01f;

/// What convolutions and fully connected layers share.
struct Layer {
  Program& program;
  memory source, weight, bias, output;

  explicit Layer(Program& p) : program(p) {}

  /// w -= lr dw, in the format of the forward pass.
  void descend(const memory& gradient, const memory& parameter) {
    const memory g = program.as(gradient, parameter.get_desc());
    program.add([from = Program::floats(g), to = Program::floats(parameter),
                 n = static_cast<long>(Program::count(parameter))] {
#pragma omp parallel for simd if (n > 32768)
      for (long i = 0; i < n; ++i) to[i] -= learning_rate * from[i];
    });
  }

  /// The gradient before the relu, from that after it, in place.
  void reverse_relu(const memory& gradient) {
    const auto kind = dnnl::algorithm::eltwise_relu_use_dst_for_bwd;
    const memory::desc d = output.get_desc();
    const dnnl::eltwise_forward::primitive_desc hint(
        {dnnl::prop_kind::forward_training, dnnl::algorithm::eltwise_relu, d, 0.0f, 0.0f},
        program.engine());
    const dnnl::eltwise_backward::primitive_desc back({kind, gradient.get_desc(), d, 0.0f, 0.0f},
                                                      program.engine(), hint);
    program.add(
        dnnl::eltwise_backward(back),
        {{DNNL_ARG_DST, output}, {DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_SRC, gradient}});
  }
};

struct Convolution : Layer {
  dnnl::convolution_forward::primitive_desc forward;
  memory::dims stride{1, 1}, padding;
  dnnl::algorithm algorithm;

  /// 3x3 with padding 1 and a relu behind it.
  Convolution(Program& p, const memory& x, long out, bool train, dnnl::algorithm how)
      : Layer(p), padding{1, 1}, algorithm(how) {
    const memory::dims in = x.get_desc().dims();
    const memory::dims w{out, in[1], 3, 3}, y{in[0], out, in[2], in[3]};
    // One channel is the same in every format: the image as it comes.
    const auto source_desc = in[1] == 1 ? x.get_desc() : Program::any(in);
    forward = {{train ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference, how,
                source_desc, Program::any(w), Program::plain({out}), Program::any(y), stride,
                padding, padding},
               with_relu(true),
               p.engine()};
    weight = p.make(forward.weights_desc());
    bias = p.make(forward.bias_desc());
    output = memory(forward.dst_desc(), p.engine());
    source = p.as(x, forward.src_desc());
    p.add(dnnl::convolution_forward(forward), {{DNNL_ARG_SRC, source},
                                               {DNNL_ARG_WEIGHTS, weight},
                                               {DNNL_ARG_BIAS, bias},
                                               {DNNL_ARG_DST, output}});
  }

  /// From the gradient of the output to that of the input (empty for the first layer).
  memory backward(memory dy, bool input_wanted) {
    dy = program.as(dy, output.get_desc());
    reverse_relu(dy);
    const memory::dims x = source.get_desc().dims(), w = weight.get_desc().dims(),
                       y = output.get_desc().dims();
    memory dx;
    if (input_wanted) {
      const dnnl::convolution_backward_data::primitive_desc pd(
          {algorithm, Program::any(x), Program::any(w), Program::any(y), stride, padding, padding},
          program.engine(), forward);
      dx = memory(pd.diff_src_desc(), program.engine());
      program.add(dnnl::convolution_backward_data(pd),
                  {{DNNL_ARG_DIFF_DST, program.as(dy, pd.diff_dst_desc())},
                   {DNNL_ARG_WEIGHTS, program.as(weight, pd.weights_desc())},
                   {DNNL_ARG_DIFF_SRC, dx}});
    }
    const auto source_desc = x[1] == 1 ? source.get_desc() : Program::any(x);
    const dnnl::convolution_backward_weights::primitive_desc pd(
        {algorithm, source_desc, Program::any(w), bias.get_desc(), Program::any(y), stride, padding,
         padding},
        program.engine(), forward);
    const memory dw(pd.diff_weights_desc(), program.engine());
    const memory db(pd.diff_bias_desc(), program.engine());
    program.add(dnnl::convolution_backward_weights(pd),
                {{DNNL_ARG_SRC, program.as(source, pd.src_desc())},
                 {DNNL_ARG_DIFF_DST, program.as(dy, pd.diff_dst_desc())},
                 {DNNL_ARG_DIFF_WEIGHTS, dw},
                 {DNNL_ARG_DIFF_BIAS, db}});
    descend(dw, weight);
    descend(db, bias);
    return dx;
  }
};

struct Dense : Layer {
  dnnl::inner_product_forward::primitive_desc forward;
  bool relu;

  Dense(Program& p, const memory& x, long out, bool train, bool with) : Layer(p), relu(with) {
    const memory::dims in = x.get_desc().dims();
    memory::dims w = in;
    w[0] = out;
    forward = {{train ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
                x.get_desc(), Program::any(w), Program::plain({out}), Program::plain({in[0], out})},
               with_relu(relu),
               p.engine()};
    source = x;
    weight = p.make(forward.weights_desc());
    bias = p.make(forward.bias_desc());
    output = memory(forward.dst_desc(), p.engine());
    p.add(dnnl::inner_product_forward(forward), {{DNNL_ARG_SRC, source},
                                                 {DNNL_ARG_WEIGHTS, weight},
                                                 {DNNL_ARG_BIAS, bias},
                                                 {DNNL_ARG_DST, output}});
  }

  memory backward(const memory& dy) {
    if (relu) reverse_relu(dy);
    const memory::dims w = weight.get_desc().dims();
    const dnnl::inner_product_backward_data::primitive_desc to_input(
        {source.get_desc(), Program::any(w), dy.get_desc()}, program.engine(), forward);
    const memory dx(to_input.diff_src_desc(), program.engine());
    program.add(dnnl::inner_product_backward_data(to_input),
                {{DNNL_ARG_DIFF_DST, dy},
                 {DNNL_ARG_WEIGHTS, program.as(weight, to_input.weights_desc())},
                 {DNNL_ARG_DIFF_SRC, dx}});
    const dnnl::inner_product_backward_weights::primitive_desc to_weight(
        {source.get_desc(), Program::any(w), bias.get_desc(), dy.get_desc()}, program.engine(),
        forward);
    const memory dw(to_weight.diff_weights_desc(), program.engine());
    const memory db(to_weight.diff_bias_desc(), program.engine());
    program.add(dnnl::inner_product_backward_weights(to_weight), {{DNNL_ARG_SRC, source},
                                                                  {DNNL_ARG_DIFF_DST, dy},
                                                                  {DNNL_ARG_DIFF_WEIGHTS, dw},
                                                                  {DNNL_ARG_DIFF_BIAS, db}});
    descend(dw, weight);
    descend(db, bias);
    return dx;
  }
};

}  // namespace bench
