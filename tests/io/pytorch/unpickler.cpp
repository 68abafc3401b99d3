// Pickles that want to run something, fill memory or keep their reader busy. Instructions are those
// of Lib/pickletools.py.
#include <ebb/io/pytorch/unpickler.hpp>

#include "tests/io/pytorch_files.hpp"
#include "tests/support/little.hpp"
#include "tests/support/memory_limit.hpp"

using namespace ebb;
using namespace ebb::io;
using ebb::test::archive_of;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::little;

namespace {

std::string text(const std::string& s) { return "X" + little(s.size(), 4) + s; }
std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
std::string times(std::size_t n, const std::string& part) {
  std::string all;
  for (std::size_t i = 0; i < n; ++i) all += part;
  return all;
}

/// A file whose pickle is `body` between its first and last instruction, with 8 floats in storage
/// 0.
test::Bytes file_of(const std::string& body) {
  return archive_of({{"archive/data.pkl", "\x80\x02" + body + "."},
                     {"archive/data/0", std::string(32, '\1')},
                     {"archive/version", "3\n"}});
}

/// What reading it says; "" when it is believed.
std::string reading(const std::string& body) {
  return error_of<FileError>([&] {
    const PytorchFile file("x.pth", file_of(body));
    for (const std::string& name : file.names()) file.bytes_of(name);
  });
}

/// A dictionary of one tensor, "w", whose parts are given as instructions.
std::string tensor(const std::string& offset = "", const std::string& shape = "(K\2K\4t",
                   const std::string& strides = "(K\4K\1t", const std::string& count = "K\10",
                   const std::string& storage = "FloatStorage", const std::string& key = "0") {
  return "}" + text("w") + global("torch._utils", "_rebuild_tensor_v2") + "((" + text("storage") +
         global("torch", storage) + text(key) + text("cpu") + count + "tQ" +
         (offset.empty() ? "K" + std::string(1, '\0') : offset) + shape + strides + "\x89" +
         global("collections", "OrderedDict") + ")RtRs";
}

}  // namespace

TEST_CASE("a plain tensor made by hand is read") {
  const PytorchFile file("x.pth", file_of(tensor()));
  CHECK(file.info("w").shape == std::vector<Index>{2, 4});
  CHECK(file.bytes_of("w") == test::Bytes(32, 1));
}

TEST_CASE("a pickle that would run something is refused by its name") {
  const auto calling = [](const std::string& module, const std::string& name) {
    return reading(global(module, name) + "(" + text("touch /tmp/x") + "tR");
  };
  for (const auto& [module, name] :
       std::vector<std::pair<std::string, std::string>>{{"os", "system"},
                                                        {"posix", "system"},
                                                        {"nt", "system"},
                                                        {"builtins", "eval"},
                                                        {"builtins", "exec"},
                                                        {"__builtin__", "eval"},
                                                        {"builtins", "getattr"},
                                                        {"builtins", "__import__"},
                                                        {"subprocess", "Popen"},
                                                        {"importlib", "import_module"},
                                                        {"operator", "attrgetter"},
                                                        {"functools", "partial"},
                                                        {"runpy", "_run_code"},
                                                        {"pickle", "loads"},
                                                        {"torch", "load"},
                                                        {"torch.hub", "load"},
                                                        {"numpy", "load"},
                                                        {"numpy.core.multiarray", "fromfile"},
                                                        {"collections", "OrderedDict.fromkeys"},
                                                        {"torch._utils", "_rebuild_sparse_tensor"},
                                                        {"", ""}}) {
    INFO(module + "." + name);
    const std::string said = calling(module, name);
    CHECK(contains(said, "it asks for '" + module + "." + name + "', which no file of weights"));
    CHECK(contains(said, "nothing of it was run"));
    CHECK(contains(said, "pytorch: 'x.pth': in its record 'archive/data.pkl', at byte 2: "));
  }
  // By two texts, as protocol 4 does it.
  CHECK(contains(reading(text("os") + text("system") + "\x93"), "it asks for 'os.system'"));
  CHECK(contains(reading("K\1" + text("system") + "\x93"), "a name that is no text"));
  // In the middle of a state dict, and where nobody looks.
  CHECK(contains(reading(tensor() + text("k") + global("os", "system") + "s"), "'os.system'"));
  CHECK(contains(reading(global("os", "system") + "0" + tensor()), "'os.system'"));
  // Names that have control characters are shown without them.
  CHECK(contains(reading(global("os\x1b[2J", "system")), "'os?[2J.system'"));
}

TEST_CASE("networks and objects that take Python say how to save their weights") {
  for (const auto& name : {global("__main__", "Net"), global("torch.nn.modules.conv", "Conv2d")})
    CHECK(contains(reading(name + ")\x81}b"), "torch.save(net.state_dict(), ...)"));
  CHECK(contains(reading("(" + text("module") + "NNNNtQ"), "it holds a whole network"));
  CHECK(contains(reading(global("__torch__.torch.classes.quantized", "Conv2dPackedParamsBase")),
                 "it is TorchScript with an object of C++"));
}

TEST_CASE("what is no function is not called, and what is no list is not appended to") {
  CHECK(contains(reading("K\1)R"), "it calls what is no function"));
  CHECK(contains(reading(global("torch", "FloatStorage") + ")R"),
                 "it calls 'torch.FloatStorage', which is no function"));
  CHECK(contains(reading(global("collections", "OrderedDict") + "K\1R"), "what is no tuple"));
  CHECK(contains(reading(global("collections", "OrderedDict") + "(]K\1atR"), "what are no pairs"));
  CHECK(contains(reading(global("torch._utils", "_rebuild_tensor_v2") + "(K\1K\2K\3K\4tR"),
                 "it calls 'torch._utils._rebuild_tensor_v2' with what makes no tensor"));
  CHECK(contains(reading(global("torch._tensor", "_rebuild_from_type_v2") + "(K\1K\2K\3tR"),
                 "with what makes no tensor"));
  CHECK(contains(reading(global("torch._tensor", "_rebuild_from_type_v2") + "(" +
                         global("torch._tensor", "_rebuild_from_type_v2") + "N)tR"),
                 "which is no function"));
  CHECK(contains(reading(global("_codecs", "encode") + "(K\1tR"), "with what is no text"));
  CHECK(contains(reading("K\1K\2a"), "it appends to what is no list"));
  CHECK(contains(reading("]K\1K\2s"), "it sets an item of what is no dictionary"));
  CHECK(contains(reading("}(K\1u"), "it gives a key without a value"));
  CHECK(contains(reading("K\1}b"), "it gives attributes to what has none"));
  CHECK(contains(reading("K\1Q"), "an identifier of something else than a storage"));
  CHECK(contains(reading("(" + text("storage") + "NNNNtQ"), "of something else than a storage"));
}

TEST_CASE("a stack that runs empty is an error") {
  for (const char* body : {"0", "2", "a", "s", "R", "b", "Q", "\x85", "\x87", "\x93", "q", "\x94"})
    CHECK(contains(reading(std::string(body) + std::string(1, '\0')),
                   "it takes a value where it has given none"));
  for (const char* body : {"t", "u", "e", "1", "\x90"})
    CHECK(contains(reading(body), "it takes values from a mark where it has set none"));
  CHECK(contains(reading("K\1(0"), "it takes a value where it has given none"));  // below a mark
  CHECK(contains(reading(""), "it takes a value where it has given none"));
  CHECK(contains(reading("K\1K\2"), "it ends before its values are complete"));
  CHECK(contains(reading("(K\1"), "it ends before its values are complete"));
  CHECK(contains(reading("h\7"), "it recalls value 7, which it has not given"));
}

TEST_CASE("instructions that torch.save does not write are refused") {
  CHECK(contains(reading("\xff"), "its instruction 255 is none of those that torch.save writes"));
  CHECK(contains(reading("\x82\1"), "it asks for a name by a number"));
  CHECK(contains(reading("\x97"), "it has a part of its bytes elsewhere"));
  CHECK(contains(reading("\x80\x06"), "it is of pickle protocol 6"));
  CHECK(contains(reading("Iabc\n"), "a number that is none"));
}

TEST_CASE("counts that go beyond the end of the file are seen before memory is taken") {
  const test::MemoryLimit limit(64 << 20);
  CHECK(contains(reading("X\xff\xff\xff\xff"), "it wants 4294967295 bytes, and 1 are left"));
  CHECK(
      contains(reading("\x8e" + std::string(8, '\xff')), "bytes, and 1 are left; it is truncated"));
  CHECK(contains(reading("\x8b\xff\xff\xff\x7f"), "it wants 2147483647 bytes"));
  CHECK(contains(reading("cos"), "it is truncated"));
  const auto whole = file_of(tensor());
  CHECK(contains(error_of<FileError>([] {
                   PytorchFile("x", archive_of({{"a/data.pkl", "\x80\x02}"}}));
                 }),
                 "it wants 1 bytes, and 0 are left"));
}

TEST_CASE("many values, deep nesting and sharing without end come to an end") {
  const auto limited = [](const std::string& body) {
    io::detail::Values values(1000);
    const auto* bytes = reinterpret_cast<const unsigned char*>(body.data());
    return error_of<FileError>([&] {
      io::detail::Unpickler("x", {bytes, body.size()}, values).load();
    });
  };
  CHECK(limited(times(900, "]0") + "N.").empty());
  CHECK(contains(limited(times(1001, "]")), "x, at byte 999: it holds more than the 1000 values"));
  // One list, and references to it.
  CHECK(contains(limited("]" + times(4001, "2")), "that are allowed"));
  // Pairs of one list in many dictionaries.
  CHECK(contains(limited("](" + times(100, "(K\1K\2t") + "eq\1" +
                         times(100, global("collections", "OrderedDict") + "(h\1tR0")),
                 "that are allowed"));
  // Dictionaries in dictionaries.
  const std::string key = text("k");
  const std::string deep = times(100'000, "}" + key) + "}" + times(100'000, "s");
  CHECK(contains(reading(deep), "its entries lie more than 32 deep in one another"));
  CHECK(contains(reading(times(100'000, "(") + times(100'000, "t")), "32 deep"));
  // A list in itself, and an object that is its own attributes.
  CHECK(contains(reading("]q\1h\1a"), "32 deep"));
  CHECK(contains(reading(global("argparse", "Namespace") + ")\x81q\1h\1b"), "32 deep"));
  // "A billion laughs": each list has the one before ten times.
  std::string laughs = "]q\1";
  for (int level = 2; level < 20; ++level)
    laughs += "0](" + times(10, "h" + std::string(1, static_cast<char>(level - 1))) + "eq" +
              std::string(1, static_cast<char>(level));
  CHECK(contains(reading(laughs), "made to keep its reader busy"));
  // Names that grow.
  std::string names = "}";
  for (int level = 0; level < 20; ++level) names = "}" + text(std::string(1000, 'a')) + names + "s";
  CHECK(contains(reading(names), "a name in it is longer than 4096 bytes"));
}

TEST_CASE("tensors that reach out of their storage are refused by name") {
  const auto count = [](const std::string& n) {
    return reading(tensor("", "(K\2K\4t", "(K\4K\1t", n));
  };
  CHECK(reading(tensor()).empty());
  CHECK(contains(reading(tensor("K\1")),
                 "pytorch: 'x.pth': tensor 'w' of shape (2, 4) reaches element 8 of a storage that "
                 "has 8 of them; it is damaged"));
  CHECK(contains(reading(tensor("", "(K\3K\4t")), "reaches element 11 of a storage that has 8"));
  CHECK(
      contains(reading(tensor("", "(K\2t", "(J\xff\xff\xff\x7ft")), "reaches element 2147483647"));
  CHECK(
      contains(count("K\11"), "tensor 'w' is in a storage of 36 bytes, and its record '0' has 32"));
  CHECK(contains(count("K\7"), "reaches element 7 of a storage that has 7"));
  const std::string most = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
  CHECK(contains(count(most), "is in a storage larger than can be addressed"));
  CHECK(contains(reading(tensor(most)), "reaches element"));
  CHECK(contains(reading(tensor("", "(" + most + most + "t", "(K\1K\1t")),
                 "has more elements than can be addressed"));
  CHECK(contains(reading(tensor("", "(K\2K\4t", "(" + most + most + "t")), "reaches element"));
  CHECK(contains(reading(tensor("", "(K\2K\4t", "(K\1t")), "has shape (2, 4) and 1 strides"));
  CHECK(contains(reading(tensor("", "(J\xff\xff\xff\xffK\4t")),
                 "needs integers from 0 on for its extents"));
  CHECK(contains(reading(tensor("", "(K\2K\4t", "(J\xff\xff\xff\xffK\1t")),
                 "needs integers from 0 on for its strides"));
  CHECK(contains(reading(tensor("", text("ab"))),
                 "needs a tuple of at most 64 integers for its extents"));
  CHECK(contains(reading(tensor("", "(K\2K\4t", "(K\4K\1t", "K\10", "FloatStorage", "7")),
                 "it lacks the record 'archive/data/7'"));
  CHECK(contains(reading(tensor("", "(K\2K\4t", "(K\4K\1t", "K\10", "FloatStorage", "../0")),
                 "it lacks the record 'archive/data/../0'"));
  CHECK(contains(reading(tensor("", "(K\2t", "(K\1t", "K\4", "ComplexFloatStorage")),
                 "is in a ComplexFloatStorage, whose elements ebb has no type for"));
}

TEST_CASE("one element that is repeated without end is not read") {
  const test::MemoryLimit limit(64 << 20);
  const std::string zero = "K" + std::string(1, '\0'), million = "J" + little(1 << 20, 4);
  const std::string body = tensor("", "(" + million + million + "t", "(" + zero + zero + "t");
  CHECK(contains(reading(body),
                 "tensor 'w' of shape (1048576, 1048576) repeats its 8 elements to 4398046511104 "
                 "bytes, and 4294967296 are allowed; raise PytorchOptions::most_bytes"));
  const PytorchFile small("x", file_of(tensor("", "(K\377t", "(" + zero + "t")),
                          {.most_bytes = 1000});
  CHECK(contains(error_of<FileError>([&] { small.get<float, 1>("w"); }), "and 1000 are allowed"));
}
