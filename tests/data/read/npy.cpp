#include <ebb/data/read/npy.hpp>

#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

const test::TemporaryFolder folder;

/// A file laid out as numpy.lib.format describes.
std::string npy(const std::string& descr, const std::string& shape, const std::string& elements,
                bool fortran = false, int version = 1) {
  std::string header = "{'descr': " + descr + ", 'fortran_order': " + (fortran ? "True" : "False") +
                       ", 'shape': " + shape + ", }";
  header.resize((header.size() + 64) / 64 * 64, ' ');
  header.back() = '\n';
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  file += static_cast<char>(header.size() & 0xFF);
  file += static_cast<char>(header.size() >> 8);
  if (version > 1) file += std::string(2, '\0');
  return file + header + elements;
}

Array read(const std::string& content) {
  test::write_file(folder / "x.npy", content);
  return read_npy(folder / "x.npy");
}

std::string error(const std::string& content) {
  const std::string text = error_of<FileError>([&] { read(content); });
  CHECK(contains(text, "x.npy"));
  return text;
}

const std::string six("\0\1\0\2\0\3\0\4\0\5\0\6", 12);

}  // namespace

TEST_CASE("versions, byte orders and axis orders of .npy files give the same tensor") {
  const Tensor<int, 2> expected({2, 3}, {1, 2, 3, 4, 5, 6});
  for (const int version : {1, 2, 3})
    CHECK(
        test::same_bits(read(npy("'>i2'", "(2, 3)", six, false, version)).get<int, 2>(), expected));
  CHECK(test::same_bits(
      read(npy("'<u2'", "(2, 3)", std::string("\1\0\2\0\3\0\4\0\5\0\6\0", 12))).get<int, 2>(),
      expected));
  CHECK(test::same_bits(
      read(npy("'|u1'", "(2, 3)", std::string("\1\4\2\5\3\6", 6), true)).get<int, 2>(), expected));
  CHECK(read(npy("'|u1'", "()", "\7")).get<float, 0>().item() == 7);
  CHECK(read(npy("'|i1'", "(0, 5)", "")).get<int, 2>().size() == 0);
}

TEST_CASE("halves, truth values and signed numbers of .npy files keep their values") {
  // numpy: np.array([1, -2, 65504, 2**-24, inf], '<f2').tobytes()
  const auto half =
      read(npy("'<f2'", "(5,)", std::string("\x00\x3c\x00\xc0\xff\x7b\x01\x00\x00\x7c", 10)))
          .get<float, 1>();
  CHECK(half(0) == 1);
  CHECK(half(1) == -2);
  CHECK(half(2) == 65504);
  CHECK(half(3) == std::ldexp(1.0f, -24));
  CHECK(std::isinf(half(4)));
  CHECK(read(npy("'|b1'", "(2,)", std::string("\0\1", 2))).get<bool, 1>()(1));
  CHECK(read(npy("'<i8'", "(1,)", std::string(8, '\xff'))).get<std::int64_t, 1>()(0) == -1);
  CHECK(read(npy("'>f4'", "(1,)", std::string("\x3f\x80\0\0", 4))).get<double, 1>()(0) == 1);
}

TEST_CASE("a .npy file that cannot be read says why") {
  CHECK(contains(error("\x93NUMPX...................."), "no .npy file"));
  CHECK(contains(error(""), "no .npy file"));
  CHECK(contains(error(npy("'|O'", "(1,)", "\x80")), "dtype=object"));
  CHECK(contains(error(npy("[('a', '<f4')]", "(1,)", "1234")), "records"));
  CHECK(contains(error(npy("'<c8'", "(1,)", "12345678")), "no type for"));
  CHECK(contains(error(npy("'<f8'", "(2,)", "12345678")), "truncated"));
  CHECK(contains(error(npy("'<f8'", "(1,)", "123456789")), "damaged"));
  CHECK(contains(error(npy("'<f8'", "(281474976710655, 281474976710655)", "")), "any file"));
  CHECK(contains(error(npy("'<f8'", "(99999999999999999999,)", "")), "any file"));
  CHECK(contains(error(npy("'<f8'", "(-1,)", "")), "whole numbers"));
  CHECK(contains(error(npy("'<f8'", "(1,", "")), "damaged"));
  CHECK(contains(error(npy("'<f8'", "(1,)", "12345678", false, 4)), "version 4"));
  const std::string good = npy("'<i2'", "(2, 3)", six);
  for (std::size_t length = 0; length < good.size(); ++length) error(good.substr(0, length));
  CHECK(contains(error_of<FileError>([&] { read(good).get<int, 1>(); }), "2 axes"));
  CHECK(contains(error_of<FileError>([&] { read(good).get<std::uint8_t, 2>(); }), "int16"));
}
