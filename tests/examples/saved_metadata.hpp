/// \file
/// What a program's file of weights says about itself.
#pragma once

#include <ebb/io/safetensors.hpp>

#include "tests/examples/run.hpp"

namespace ebb::test {

/// The metadata of the weights that `go` saves when it trains for an epoch by `words`; what it
/// complained of goes to `err`.
template <class Program>
io::Metadata saved_metadata(const Program& go, std::vector<std::string> words, std::string& err) {
  words.insert(words.end(), {"--epochs", "1", "--save", go.file("w")});
  const Outcome outcome = go(words);
  INFO(outcome.out << outcome.err);
  REQUIRE(outcome.code == 0);
  err = outcome.err;
  return io::SafetensorsFile(go.file("w")).metadata();
}

}  // namespace ebb::test
