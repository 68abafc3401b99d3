#include <ebb/io/safetensors.hpp>

#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

#include <csignal>
#include <random>

using namespace ebb;
using namespace ebb::io;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::read_file;
using ebb::test::write_file;

namespace {

const test::TemporaryFolder folder;

std::vector<NamedTensor> some() {
  return {{"b", Tensor<float, 2>({2, 3}, {1, 2, 3, 4, 5, 6})},
          {"a", Tensor<double, 0>(0.5)},
          {"labels", Tensor<int, 1>({3}, {7, -8, 9})},
          {"a2", Tensor<float, 1>({1}, {-1})},
          {"bytes", Tensor<std::uint8_t, 1>({3}, {1, 2, 3})},
          {"count", Tensor<std::int64_t, 0>(1LL << 40)},
          {"flags", Tensor<bool, 1>({2}, {true, false})},
          {"none", Tensor<float, 2>({0, 4})}};
}

/// A file with this header and so many bytes of data, 0, 1, 2, ...
std::string file_of(const std::string& header, std::size_t data_bytes = 0) {
  const std::uint64_t length = header.size();
  std::string file(reinterpret_cast<const char*>(&length), 8);
  file += header;
  for (std::size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i);
  return file;
}

/// What opening a file of this content says; "" when it is believed.
std::string opening(const std::string& content) {
  const std::string path = folder / "hostile.safetensors";
  write_file(path, content);
  const std::string text = error_of<FileError>([&] { SafetensorsFile file(path); });
  if (!text.empty()) CHECK(contains(text, "safetensors: '" + path + "': "));
  return text;
}

/// The same for a header with one tensor, and 8 bytes of data.
std::string opening_tensor(const std::string& dtype, const std::string& shape,
                           const std::string& offsets) {
  return opening(file_of(
      "{\"x\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}",
      8));
}

}  // namespace

TEST_CASE("tensors come back as they went") {
  const std::string path = folder / "some.safetensors";
  write_safetensors(path, some(), {{"made by", "a test"}, {"text", "\"quoted\"\n\xC3\xBC"}});
  const SafetensorsFile file(path);
  CHECK(file.names().size() == 8);
  CHECK(file.contains("labels"));
  CHECK(file.info("b").shape == std::vector<Index>{2, 3});
  CHECK(file.info("b").dtype == Dtype::f32);
  CHECK(file.metadata().at("text") == "\"quoted\"\n\xC3\xBC");
  CHECK(file.get<float, 2>("b").values() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(file.get<double, 0>("a").item() == 0.5);
  CHECK(file.get<int, 1>("labels").values() == std::vector<int>{7, -8, 9});
  CHECK(file.get<std::uint8_t, 1>("bytes").values() == std::vector<std::uint8_t>{1, 2, 3});
  CHECK(file.get<std::int64_t, 0>("count").item() == 1LL << 40);
  CHECK(file.get<bool, 1>("flags")(0));
  CHECK_FALSE(file.get<bool, 1>("flags")(1));
  CHECK(file.get<float, 2>("none").shape() == Shape{0, 4});
}

TEST_CASE("the layout is the safetensors library's: largest types first, then names, padded") {
  const std::string path = folder / "layout.safetensors";
  write_safetensors(path, some(), {{"format", "pt"}});
  const std::string file = read_file(path);
  const std::string header = R"({"__metadata__":{"format":"pt"},)"
                             R"("count":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                             R"("a":{"dtype":"F64","shape":[],"data_offsets":[8,16]},)"
                             R"("a2":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},)"
                             R"("b":{"dtype":"F32","shape":[2,3],"data_offsets":[20,44]},)"
                             R"("none":{"dtype":"F32","shape":[0,4],"data_offsets":[44,44]},)"
                             R"("labels":{"dtype":"I32","shape":[3],"data_offsets":[44,56]},)"
                             R"("bytes":{"dtype":"U8","shape":[3],"data_offsets":[56,59]},)"
                             R"("flags":{"dtype":"BOOL","shape":[2],"data_offsets":[59,61]}})";
  CHECK(file.substr(8, header.size()) == header);
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  CHECK(length == (header.size() + 7) / 8 * 8);
  CHECK(file.size() == 8 + length + 61);
  CHECK(file.find_first_not_of(' ', 8 + header.size()) == 8 + length);
}

TEST_CASE("no tensors at all is a file too") {
  write_safetensors(folder / "empty.safetensors", {});
  CHECK(SafetensorsFile(folder / "empty.safetensors").names().empty());
  CHECK(opening(file_of("{}")).empty());
}

TEST_CASE("half precision is read as float, and as double when asked to convert") {
  // 1.0, -2.0 in float16; 1.0, -3.140625 in bfloat16.
  const std::string header = R"({"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
                             R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]}})";
  write_file(folder / "half", file_of(header) + std::string("\x00\x3c\x00\xc0\x80\x3f\x49\xc0", 8));
  const SafetensorsFile file(folder / "half");
  CHECK(file.get<float, 1>("h").values() == std::vector<float>{1, -2});
  CHECK(file.get<float, 1>("b").values() == std::vector<float>{1, -3.140625f});
  CHECK(file.get<double, 1>("b", {.convert = true}).values() == std::vector<double>{1, -3.140625});
  CHECK(contains(error_of<FileError>([&] { file.get<double, 1>("h"); }),
                 "tensor 'h' is of type F16, and F64 was asked for; let it be converted with "
                 ".convert = true"));
}

TEST_CASE("float and double are converted only when asked to") {
  write_safetensors(folder / "kinds", some());
  const SafetensorsFile file(folder / "kinds");
  CHECK(file.get<double, 2>("b", {.convert = true})(1, 2) == 6);
  CHECK(file.get<float, 0>("a", {.convert = true}).item() == 0.5f);
  CHECK(
      contains(error_of<FileError>([&] { file.get<double, 2>("b"); }), "is of type F32, and F64"));
  CHECK(contains(error_of<FileError>([&] { file.get<float, 1>("labels", {.convert = true}); }),
                 "is of type I32, and F32 was asked for"));
  CHECK(contains(error_of<FileError>([&] { file.get<float, 1>("b"); }),
                 "tensor 'b' has shape (2, 3), of rank 2, and rank 1 was asked for"));
  CHECK(contains(error_of<FileError>([&] { file.get<float, 1>("zebra"); }),
                 "it holds no tensor 'zebra'; it holds 'a', 'a2', 'b'"));
}

TEST_CASE("conversion in pieces reaches every element") {
  Tensor<float, 1> x({100'000});
  for (Index i = 0; i < x.size(); ++i) x(i) = static_cast<float>(i);
  write_safetensors(folder / "long", std::vector<NamedTensor>{{"x", x}});
  const auto y = SafetensorsFile(folder / "long").get<double, 1>("x", {.convert = true});
  for (Index i = 0; i < x.size(); ++i) REQUIRE(y(i) == static_cast<double>(i));
}

TEST_CASE("names must be unique and text") {
  const Tensor<float, 0> x(1);
  const auto text = [&](std::vector<NamedTensor> tensors) {
    return error_of<ValueError>([&] { write_safetensors(folder / "never", tensors); });
  };
  CHECK(contains(text({{"a", x}, {"a", x}}), "the name 'a' is used by two tensors"));
  CHECK(contains(text({{"__metadata__", x}}), "is taken by the file format"));
  CHECK(contains(text({{"\xff", x}}), "not valid UTF-8"));
  CHECK_FALSE(std::filesystem::exists(folder / "never"));
}

TEST_CASE("a file that is missing, a folder or too short is refused") {
  const auto text = [](const std::string& path) {
    return error_of<FileError>([&] { SafetensorsFile file(path); });
  };
  CHECK(contains(text(folder / "nowhere"), "No such file or directory; check the path"));
  CHECK(contains(text(folder.path.string()), "it is a folder"));
  CHECK(contains(text("/dev/zero"), "it is not a regular file"));
  CHECK(contains(opening(""), "it has 0 bytes, too few"));
  CHECK(contains(opening("1234567"), "it has 7 bytes, too few"));
}

TEST_CASE("a header that is too long is refused before it is read") {
  CHECK(
      contains(opening(std::string(16, '\xff')), "promise a header of 18446744073709551615 bytes"));
  CHECK(contains(opening(file_of("{}").substr(0, 9)), "promise a header of 2 bytes, and the file"));
  CHECK(contains(opening(file_of("")), "does not begin with '{'"));
  CHECK(contains(opening(file_of("[]")), "does not begin with '{'"));
  // A sparse file as long as its header claims to be.
  const std::string path = folder / "huge";
  const std::uint64_t length = 200'000'000;
  write_file(path, std::string(reinterpret_cast<const char*>(&length), 8));
  std::filesystem::resize_file(path, length + 8);
  CHECK(contains(error_of<FileError>([&] { SafetensorsFile file(path); }),
                 "its header has 200000000 bytes, more than the 100000000 that are allowed"));
}

TEST_CASE("a header that is not JSON is refused") {
  CHECK(contains(opening(file_of("{")), "it is not valid JSON at byte"));
  CHECK(contains(opening(file_of("{\"x\":}")), "it is not valid JSON at byte"));
  CHECK(contains(opening(file_of("{} x")), "it is not valid JSON at byte"));
  CHECK(contains(opening(file_of("{\"\xff\":{}}")), "it is not valid JSON at byte"));
  CHECK(contains(opening(file_of(std::string("{\0}", 3))), "it is not valid JSON"));
}

TEST_CASE("a header of the wrong structure is refused") {
  CHECK(contains(opening(file_of("{\"x\":1}")), "'x' is a number where an object belongs"));
  CHECK(contains(opening(file_of("{\"x\":[]}")), "'x' is a list where an object belongs"));
  CHECK(contains(opening(file_of("{\"x\":null}")), "'x' is null where an object belongs"));
  CHECK(contains(opening(file_of("{\"x\":true}")), "'x' is true or false where"));
  CHECK(contains(opening(file_of("{\"x\":\"y\"}")), "'x' is a string where an object belongs"));
  CHECK(contains(opening(file_of("{\"x\":{}}")), "tensor 'x' lacks its dtype"));
  CHECK(contains(opening(file_of("{\"x\":{\"dtype\":\"F32\"}}")), "tensor 'x' lacks its shape"));
  CHECK(contains(opening(file_of("{\"x\":{\"dtype\":\"F32\",\"shape\":[]}}")),
                 "tensor 'x' lacks its data_offsets"));
  CHECK(contains(opening(file_of("{\"x\":{\"size\":3}}")), "has a field 'size'"));
  CHECK(
      contains(opening_tensor("1", "[2]", "[0,8]"), "the dtype of tensor 'x' is a number where a"));
  CHECK(contains(opening_tensor("\"F32\"", "2", "[0,8]"), "the shape of tensor 'x' is a number"));
  CHECK(contains(opening_tensor("\"F32\"", "\"2\"", "[0,8]"), "is a string where a list"));
  CHECK(contains(opening_tensor("\"F32\"", "[\"2\"]", "[0,8]"), "is a string where an integer"));
  CHECK(contains(opening_tensor("\"F32\"", "[[2]]", "[0,8]"), "is a list where an integer"));
  CHECK(contains(opening_tensor("\"F32\"", "{}", "[0,8]"), "is an object where a list"));
  CHECK(contains(opening_tensor("[\"F32\"]", "[2]", "[0,8]"), "is a list where a string"));
  CHECK(contains(opening_tensor("\"F32\"", "[2]", "[0]"), "has 1 data_offsets"));
  CHECK(contains(opening_tensor("\"F32\"", "[2]", "[0,8,8]"), "has more than 2 data_offsets"));
  CHECK(
      contains(opening(file_of("{\"__metadata__\":[]}")), "'__metadata__' is a list where an obj"));
  CHECK(contains(opening(file_of("{\"__metadata__\":{\"a\":1}}")),
                 "metadata 'a' is a number where a string belongs"));
  CHECK(contains(opening(file_of("{\"__metadata__\":{\"a\":{}}}")), "metadata 'a' is an object"));
}

TEST_CASE("what is given twice is refused") {
  const std::string x = R"("x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  CHECK(contains(opening(file_of("{" + x + "," + x + "}")), "'x' is described twice"));
  CHECK(contains(opening(file_of(R"({"__metadata__":{},"__metadata__":{}})")), "described twice"));
  CHECK(contains(opening(file_of(R"({"__metadata__":{"a":"1","a":"2"}})")),
                 "metadata 'a' is given twice"));
  CHECK(
      contains(opening(file_of(R"({"x":{"dtype":"U8","dtype":"U8"}})")), "gives its dtype twice"));
}

TEST_CASE("deep nesting is refused at its second level") {
  std::string deep = "{\"x\":";
  for (int i = 0; i < 200'000; ++i) deep += '[';
  CHECK(contains(opening(file_of(deep)), "'x' is a list where an object belongs"));
  deep = "{\"x\":{\"shape\":";
  for (int i = 0; i < 200'000; ++i) deep += '[';
  CHECK(contains(opening(file_of(deep)), "is a list where an integer"));
  deep.clear();
  for (int i = 0; i < 200'000; ++i) deep += "{\"a\":";
  CHECK(contains(opening(file_of(deep)), "tensor 'a' has a field 'a'"));
}

TEST_CASE("types, shapes and sizes that make no sense are refused") {
  CHECK(contains(opening_tensor("\"F31\"", "[2]", "[0,8]"), "is of type 'F31', which is unknown"));
  CHECK(contains(opening_tensor("\"F32\"", "[-2]", "[0,8]"), "has -2 in its shape"));
  CHECK(contains(opening_tensor("\"F32\"", "[2.0]", "[0,8]"), "has '2.0' in its shape"));
  CHECK(contains(opening_tensor("\"F32\"", "[2]", "[-8,0]"), "has -8 in its data_offsets"));
  CHECK(contains(opening_tensor("\"F32\"", "[2]", "[0,1e1]"), "has '1e1' in its data_offsets"));
  CHECK(contains(opening_tensor("\"F32\"", "[1e999]", "[0,8]"), "a number is too large at byte"));
  CHECK(contains(opening_tensor("\"F32\"", "[99999999999999999999]", "[0,8]"),
                 "must be integers that fit 64 bits"));
  CHECK(contains(opening_tensor("\"F32\"", "[18446744073709551615]", "[0,8]"),
                 "has an extent of 18446744073709551615"));
  CHECK(contains(opening_tensor("\"F32\"", "[4294967296,4294967296]", "[0,8]"),
                 "has more elements than can be addressed"));
  CHECK(contains(opening_tensor("\"F32\"", "[4611686018427387904,4]", "[0,0]"),
                 "has more elements than can be addressed"));
  CHECK(contains(opening_tensor("\"F32\"", "[3]", "[0,8]"),
                 "of shape (3) and type F32 takes 12 bytes, and its data_offsets go from 0 to 8"));
  CHECK(contains(opening_tensor("\"F32\"", "[2]", "[8,0]"), "go from 8 to 0"));
  CHECK(contains(opening_tensor("\"F32\"", "[0,18446744073709551615]", "[0,0]"), "has an extent"));
  CHECK(opening_tensor("\"F32\"", "[2]", "[0,8]").empty());
}

TEST_CASE("tensors that overlap, leave gaps or leave the file are refused") {
  const auto two = [](const char* a, const char* b, std::size_t bytes) {
    return opening(file_of(std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)") + a +
                               R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}",
                           bytes));
  };
  CHECK(two("[0,4]", "[4,8]", 8).empty());
  CHECK(two("[4,8]", "[0,4]", 8).empty());
  CHECK(
      contains(two("[0,4]", "[2,6]", 8), "tensor 'b' begins at byte 2, inside the tensor before"));
  CHECK(contains(two("[0,4]", "[0,4]", 8), "begins at byte 0, inside the tensor before it"));
  CHECK(contains(two("[0,4]", "[5,9]", 9), "tensor 'b' begins at byte 5, after a gap"));
  CHECK(contains(two("[1,5]", "[5,9]", 9), "tensor 'a' begins at byte 1, after a gap"));
  CHECK(contains(two("[0,4]", "[4,8]", 7), "tensor 'b' ends at byte 8 of data that has 7"));
  CHECK(contains(two("[0,4]", "[4,8]", 9), "its tensors take 8 bytes, and 9 follow the header"));
  CHECK(contains(two("[0,4]", "[18446744073709551612,18446744073709551615]", 8), "takes 4 bytes"));
}

TEST_CASE("names out of a file are quoted with care") {
  CHECK(contains(opening(file_of(R"({"a\n\u0007b":1})")), "'a??b' is a number"));
  CHECK(contains(opening(file_of("{\"" + std::string(5000, 'n') + "\":1}")),
                 std::string(100, 'n') + "...'"));
}

TEST_CASE("a file that shrinks after it was opened is an error, not a crash") {
  const std::string path = folder / "shrinks";
  write_safetensors(path, some());
  const SafetensorsFile file(path);
  std::filesystem::resize_file(path, 20);
  CHECK(contains(error_of<FileError>([&] { file.get<float, 2>("b"); }), "it became shorter"));
}

TEST_CASE("damage anywhere in a file is an error or harmless, never a crash") {
  write_safetensors(folder / "whole", some(), {{"format", "pt"}});
  const std::string whole = read_file(folder / "whole");
  const std::string path = folder / "damaged";
  int refused = 0, tried = 0;
  const auto attempt = [&](const std::string& content) {
    write_file(path, content);
    ++tried;
    try {
      const SafetensorsFile file(path);
      for (const auto& [name, tensor] : file.tensors()) {
        if (tensor.dtype == Dtype::f32 && tensor.shape.size() == 2) file.get<float, 2>(name);
        if (tensor.dtype == Dtype::i32 && tensor.shape.size() == 1) file.get<int, 1>(name);
      }
    } catch (const FileError& error) {
      ++refused;
      REQUIRE(contains(error.what(), path));
    }
  };
  for (std::size_t at = 0; at < whole.size(); ++at) {
    attempt(whole.substr(0, at));
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      attempt(damaged);
    }
  }
  // Several characters of the header exchanged for ones that mean something in JSON.
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = whole;
    const auto header = whole.rfind('}');
    for (unsigned k = 0; k <= random() % 3; ++k)
      damaged[8 + random() % (header - 7)] = "{}[]:,\"0123456789-.e \\"[random() % 22];
    attempt(damaged);
  }
  CHECK(refused > tried / 2);
  CHECK(refused < tried);
}
