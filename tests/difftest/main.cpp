#include "driver.hpp"

#include <cstdio>
#include <sstream>

using namespace difftest;

namespace {

const std::map<std::string, void (*)(const Case&, Result&)> operations = {
    {"unary", unary},      {"binary", binary}, {"reduction", reduction}, {"softmax", softmaxes},
    {"conv", convolution}, {"pool", pooling},  {"resize", resizing},     {"norm", normalisation},
    {"product", product},  {"loss", loss},     {"tied", tied_weights},   {"rule", update_rule},
};

template <class T>
bool read(T& value) {
  return std::fread(&value, sizeof value, 1, stdin) == 1;
}
bool read(char* to, std::size_t bytes) {
  return bytes == 0 || std::fread(to, bytes, 1, stdin) == 1;
}
template <class T>
void write(const T& value) {
  std::fwrite(&value, sizeof value, 1, stdout);
}

bool read(Case& asked) {
  std::uint32_t length = 0, count = 0;
  if (!read(length)) return false;
  std::string header(length, ' '), word;
  if (!read(header.data(), length) || !read(count)) return false;
  std::istringstream words(header);
  while (words >> word) {
    const auto equals = word.find('=');
    asked.options[word.substr(0, equals)] = word.substr(equals + 1);
  }
  asked.tensors.resize(count);
  for (Wire& wire : asked.tensors) {
    std::uint8_t rank = 0;
    if (!read(wire.type) || !read(rank)) return false;
    std::size_t bytes = wire.type == 'n' ? 0 : wire.type == 'd' ? 8 : 4;
    wire.extents.resize(rank);
    for (auto& extent : wire.extents) {
      if (!read(extent)) return false;
      bytes *= static_cast<std::size_t>(extent);
    }
    wire.bytes.resize(bytes);
    if (!read(wire.bytes.data(), bytes)) return false;
  }
  return true;
}

/// (Not `write`: POSIX has one of its own, that takes a status for a file.)
void send(std::uint32_t status, const std::string& text, const Result& result) {
  write(status);
  write(static_cast<std::uint32_t>(text.size()));
  std::fwrite(text.data(), 1, text.size(), stdout);
  write(static_cast<std::uint32_t>(result.tensors.size()));
  for (const Wire& wire : result.tensors) {
    write(wire.type);
    write(static_cast<std::uint8_t>(wire.extents.size()));
    for (const auto extent : wire.extents) write(extent);
    std::fwrite(wire.bytes.data(), 1, wire.bytes.size(), stdout);
  }
  std::fflush(stdout);
}

/// Runs a case, and again with other numbers of threads where `threads` asks for it: the bits must
/// be the same.
Result answer(const Case& asked) {
  const auto found = operations.find(asked.text("op"));
  if (found == operations.end()) unknown(asked);
  for (const Isa set : {Isa::portable, Isa::avx2, Isa::avx512})
    if (asked.text("isa") == to_string(set) && supports(set)) set_isa(set);
  set_num_threads(1);
  Result result;
  found->second(asked, result);
  for (const int threads : {2, 3}) {
    if (!asked.whole("threads")) break;
    set_num_threads(threads);
    Result again;
    found->second(asked, again);
    for (std::size_t k = 0; k < result.tensors.size(); ++k)
      if (again.tensors[k].bytes != result.tensors[k].bytes)
        result.note += "[other bits with " + std::to_string(threads) + " threads]";
  }
  return result;
}

}  // namespace

int main() {
  for (Case asked; read(asked); asked = {}) {
    try {
      const Result result = answer(asked);
      send(0, result.note, result);
    } catch (const Error& error) {
      send(1, error.what(), {});
    } catch (const std::exception& error) {
      send(2, error.what(), {});
    }
  }
}
