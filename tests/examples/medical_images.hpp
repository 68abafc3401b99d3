/// \file
/// A small file like MedMNIST's, whose classes a network can tell apart.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ebb::test {

/// Bytes as numpy writes them (version 1.0).
inline std::string npy(const std::string& shape, const std::string& bytes) {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((header.size() + 11 + 63) / 64 * 64 - 10, ' ');
  header.back() = '\n';
  std::string length{static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  return std::string("\x93NUMPY\1\0", 8) + length + header + bytes;
}

/// A ZIP archive of stored members (PKWARE's APPNOTE, 4.3).
inline std::string npz(const std::vector<std::pair<std::string, std::string>>& members) {
  const auto little = [](std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xFF);
    return text;
  };
  std::string archive, directory;
  for (const auto& [name, content] : members) {
    const auto sum =
        crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
    const std::string file = name + ".npy";
    const std::string common = little(20, 2) + little(0, 8) + little(sum, 4) +
                               little(content.size(), 4) + little(content.size(), 4) +
                               little(file.size(), 2) + little(0, 2);
    directory +=
        "PK\1\2" + little(20, 2) + common + little(0, 10) + little(archive.size(), 4) + file;
    archive += "PK\3\4" + common + file + content;
  }
  return archive + directory + "PK\5\6" + little(0, 4) + little(members.size(), 2) +
         little(members.size(), 2) + little(directory.size(), 4) + little(archive.size(), 4) +
         little(0, 2);
}

/// Noisy images of `size` pixels a side with a bright bar whose place is the class; `only` >= 0
/// makes all test images of that class.
inline std::string medical_images(int classes, int channels, int size = 12, int only = -1) {
  std::vector<std::pair<std::string, std::string>> members;
  std::uint32_t random = 1;
  const auto next = [&] { return (random = random * 1664525u + 1013904223u) >> 24; };
  for (const auto& [split, count] :
       {std::pair<std::string, int>{"train", 96}, {"val", 30}, {"test", 40}}) {
    std::string images, labels;
    for (int n = 0; n < count; ++n) {
      const int label = split == "test" && only >= 0 ? only : n * 7 % classes;
      labels += static_cast<char>(label);
      for (int h = 0; h < size; ++h)
        for (int w = 0; w < size; ++w)
          for (int c = 0; c < channels; ++c) {
            const bool bar = w * classes / size == label && h > 1 && h < size - 2;
            images += static_cast<char>(next() / 2 + (bar ? 100 : 20));
          }
    }
    const std::string side = std::to_string(size);
    members.emplace_back(split + "_images", npy(std::to_string(count) + ", " + side + ", " + side +
                                                    (channels > 1 ? ", 3" : ""),
                                                images));
    members.emplace_back(split + "_labels", npy(std::to_string(count) + ", 1", labels));
  }
  return npz(members);
}

/// The members of such a file.
inline std::vector<std::pair<std::string, std::string>> npz_members(const std::string& archive) {
  const auto number = [&](std::size_t at, int bytes) {
    std::size_t value = 0;
    for (int i = bytes - 1; i >= 0; --i)
      value = value << 8 | static_cast<unsigned char>(archive[at + static_cast<std::size_t>(i)]);
    return value;
  };
  std::vector<std::pair<std::string, std::string>> members;
  for (std::size_t at = 0; archive.compare(at, 4, "PK\3\4") == 0;) {
    const std::size_t bytes = number(at + 18, 4), name = number(at + 26, 2);
    members.emplace_back(archive.substr(at + 30, name - 4), archive.substr(at + 30 + name, bytes));
    at += 30 + name + bytes;
  }
  return members;
}

/// The same file with one byte of a member changed to `value`, the `index`-th of its data.
inline std::string npz_with(const std::string& archive, const std::string& member,
                            std::size_t index = 0, char value = 77) {
  auto members = npz_members(archive);
  for (auto& [name, content] : members)
    if (name == member) content[128 + index] = value;
  return npz(members);
}

/// The same file with no images of `side` pixels in a split.
inline std::string npz_without(const std::string& archive, const std::string& split, int side) {
  auto members = npz_members(archive);
  const std::string pixels = std::to_string(side);
  for (auto& [name, content] : members)
    if (name == split + "_images")
      content = npy("0, " + pixels + ", " + pixels, "");
    else if (name == split + "_labels")
      content = npy("0, 1", "");
  return npz(members);
}

/// The same file with a split's images cut to `size` pixels a side (their values do not matter).
inline std::string npz_with_size(const std::string& archive, const std::string& split, int size) {
  auto members = npz_members(archive);
  std::size_t count = 0;
  for (const auto& [name, content] : members)
    if (name == split + "_labels") count = content.size() - 128;
  for (auto& [name, content] : members)
    if (name == split + "_images") {
      const std::string side = std::to_string(size);
      content = npy(std::to_string(count) + ", " + side + ", " + side,
                    std::string(count * static_cast<std::size_t>(size * size), '\7'));
    }
  return npz(members);
}

}  // namespace ebb::test
