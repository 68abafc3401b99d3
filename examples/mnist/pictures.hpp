// The pictures of --report.
#pragma once

#include <ebb/train/fit.hpp>
#include <ebb/train/metrics.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

// Gathers what the pictures need while the network is tested.
class Pictures {
 public:
  // For images normalised with this mean and standard deviation.
  Pictures(std::vector<std::string> classes, double mean, double deviation);
  Pictures(Pictures&&) noexcept;
  Pictures& operator=(Pictures&&) noexcept;
  ~Pictures();

  // A tested batch.
  void add(const ebb::Tensor<float, 4>& images, const ebb::Tensor<float, 2>& logits,
           const ebb::Tensor<int, 1>& labels);

  // Writes report.html, and beside it curves.svg (if there are epochs), confusion.svg and
  // mistakes.svg, into `folder`, and says where they are, or why not. `facts` end the page.
  void write(const std::string& folder, const std::string& command,
             const std::vector<ebb::EpochFacts>& epochs,
             const std::vector<std::pair<std::string, std::string>>& facts) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};
