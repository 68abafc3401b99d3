/// \file
/// Files of tests/oracle/pytorch_files.py, and archives made by hand.
#pragma once

#include <ebb/io/pytorch.hpp>

#include "tests/support/tensors.hpp"

#include <fstream>
#include <sstream>

namespace ebb::test {

using Bytes = std::vector<unsigned char>;

inline Bytes from_hex(const std::string& hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<unsigned char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

inline std::string to_hex(const Bytes& bytes) {
  std::string hex;
  for (const unsigned char b : bytes)
    hex += {"0123456789abcdef"[b >> 4], "0123456789abcdef"[b & 15]};
  return hex;
}

inline Bytes unpacked(const Bytes& packed) {
  Bytes bytes(std::size_t{1} << 20);
  uLongf size = bytes.size();
  REQUIRE(uncompress(bytes.data(), &size, packed.data(), packed.size()) == Z_OK);
  bytes.resize(size);
  return bytes;
}

/// A file of the script: its bytes, and a line for each of its tensors.
struct TorchFile {
  std::string name;
  Bytes bytes;
  std::vector<std::string> tensors;
};

inline std::vector<TorchFile> torch_files(const std::string& path) {
  std::ifstream text(path);
  std::vector<TorchFile> all;
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("file ")) {
      all.back().tensors.push_back(line);
      continue;
    }
    std::string word, name, hex;
    std::istringstream(line) >> word >> name >> hex;
    all.push_back({name, unpacked(from_hex(hex)), {}});
  }
  return all;
}

/// A tensor of a file as such a line.
inline std::string line_of(const io::TensorFile& file, const std::string& name) {
  const io::TensorInfo& info = file.info(name);
  std::string shape;
  for (const Index extent : info.shape)
    shape += (shape.empty() ? "" : "x") + std::to_string(extent);
  const std::string hex = to_hex(file.bytes_of(name));
  return "tensor " + name + " " + io::name(info.dtype) + " " + (shape.empty() ? "-" : shape) + " " +
         (hex.empty() ? "-" : hex);
}

/// All of a file's tensors, sorted by name.
inline std::vector<std::string> lines_of(const io::TensorFile& file) {
  std::vector<std::string> lines;
  for (const std::string& name : file.names()) lines.push_back(line_of(file, name));
  return lines;
}

/// Opens each of the files and compares. TorchScript's own tensors and others differ in no bit.
inline void check_torch_files(const std::vector<TorchFile>& files) {
  for (const TorchFile& given : files) {
    INFO(given.name);
    const io::PytorchFile file(given.name, given.bytes);
    auto expected = given.tensors, lines = lines_of(file);
    std::sort(expected.begin(), expected.end());
    std::sort(lines.begin(), lines.end());
    CHECK(lines == expected);
  }
}

/// Bytes as a file's writer takes them.
struct Memory {
  Bytes bytes;
  void write(const void* data, std::size_t n) {
    const auto* from = static_cast<const unsigned char*>(data);
    bytes.insert(bytes.end(), from, from + n);
  }
};

struct Record {
  std::string name, content;
};

inline Bytes archive_of(const std::vector<Record>& records, std::uint64_t widest = 0xFFFFFFFE) {
  Memory memory;
  io::detail::ZipWriter<Memory> zip(memory, widest);
  for (const Record& r : records) zip.record(r.name, r.content.data(), r.content.size());
  zip.finish();
  return memory.bytes;
}

}  // namespace ebb::test
