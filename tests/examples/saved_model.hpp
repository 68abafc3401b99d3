/// \file
/// A classifier that medmnist trained for an epoch on drawn images, and files that are like it and
/// wrong.
#pragma once

#include <ebb/data/read/image_file.hpp>
#include <ebb/io/png.hpp>
#include <ebb/io/state.hpp>
#include <ebb/models/unet.hpp>

#include "tests/examples/medical_images.hpp"
#include "tests/examples/run.hpp"

namespace ebb::test {

class SavedModel {
 public:
  /// With a program that uses it.
  explicit SavedModel(const std::string& program) : program_(example(program)) {
    const std::string medmnist = example("medmnist");
    if (program_.empty() || medmnist.empty()) {
      program_.clear();
      return;
    }
    write_file(file("images.npz"), medical_images(2, 1));
    const Outcome outcome = run(folder_, medmnist,
                                {"--data", file("images.npz"), "--epochs", "1", "--classes",
                                 "left,right", "--positive", "right", "--save", file("w")});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    for (const bool right : {false, true}) {
      std::vector<std::uint8_t> pixels(144, 70);
      for (std::size_t i = 2; i < 10; ++i)
        for (std::size_t j = 0; j < 6; ++j) pixels[12 * i + j + (right ? 6 : 0)] = 180;
      io::write_png(file(right ? "right.png" : "left.png"), 12, 12, 1, pixels);
    }
  }
  bool there() const { return !program_.empty(); }
  std::string file(const std::string& name) const { return folder_ / name; }
  Outcome run_it(const std::vector<std::string>& arguments) const {
    return run(folder_, program_, arguments);
  }

  void write_others() const {
    const io::SafetensorsFile file_w(file("w"));
    const auto with = [&](const std::string& name, const std::string& key,
                          const std::string& value) {
      io::Metadata metadata = file_w.metadata();
      if (value.empty())
        metadata.erase(key);
      else
        metadata[key] = value;
      write(name, file_w, metadata);
    };
    with("bare", "model", "");
    with("vgg", "model", "vgg");
    with("narrow", "classes", "left,middle,right");
    with("numbers", "mean", "grey");
    with("doubtful", "conformal_threshold", "inf");
    with("strange", "conformal_threshold", "0");
    with("certain", "conformal_threshold", "0.5");
    with("deep", "range", "0,4080");
    with("upside", "range", "9,9");
    manual_seed(1);
    const models::UNet<> net({.channels = 1, .classes = 2, .base = 2, .depth = 2});
    io::save(net, file("unet"),
             {{"model", "unet"},
              {"base", "2"},
              {"depth", "2"},
              {"channels", "1"},
              {"mean", "0.5"},
              {"deviation", "0.25"},
              {"foreground", "0"},
              {"threshold", "0.5"}});
  }

  /// Writes the tensors of a file under other metadata.
  void write(const std::string& name, const io::TensorFile& from,
             const io::Metadata& metadata) const {
    std::vector<io::NamedTensor> tensors;
    for (const auto& [called, info] : from.tensors()) {
      if (info.dtype == io::Dtype::f32 && info.shape.size() == 1)
        tensors.emplace_back(called, from.get<float, 1>(called));
      else if (info.dtype == io::Dtype::f32 && info.shape.size() == 2)
        tensors.emplace_back(called, from.get<float, 2>(called));
      else if (info.dtype == io::Dtype::f32 && info.shape.size() == 4)
        tensors.emplace_back(called, from.get<float, 4>(called));
      else
        tensors.emplace_back(called, from.get<std::int64_t, 0>(called));
    }
    io::write_weights(file(name), tensors, metadata);
  }

 private:
  TemporaryFolder folder_;
  std::string program_;
};

}  // namespace ebb::test
