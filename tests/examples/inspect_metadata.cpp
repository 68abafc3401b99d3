// What stands beside the pixels of pictures and volumes; how much memory a file can take.
#include "tests/data/read/dicom/writer.hpp"
#include "tests/data/real_data.hpp"
#include "tests/examples/run.hpp"
#include "tests/train/files.hpp"

#include <ebb/io/png.hpp>

#include <zlib.h>

using namespace ebb;
using namespace ebb::test;

namespace {

std::string big(std::uint64_t value, int bytes) {
  const std::string text = little(value, bytes);
  return {text.rbegin(), text.rend()};
}

std::string png_chunk(const std::string& kind, const std::string& data) {
  const std::string all = kind + data;
  const auto* bytes = reinterpret_cast<const Bytef*>(all.data());
  return big(data.size(), 4) + all + big(crc32(0, bytes, static_cast<uInt>(all.size())), 4);
}

/// A PNG with more chunks after the first.
std::string png(const TemporaryFolder& folder, const std::string& chunks) {
  io::write_png(folder / "plain.png", 2, 2, 1, {9, 8, 7, 200});
  std::string file = read_file(folder / "plain.png");
  return file.insert(33, chunks);
}

std::string segment(int marker, const std::string& data) {
  return std::string("\xff") + static_cast<char>(marker) + big(data.size() + 2, 2) + data;
}

/// The frame of a JPEG, with segments and a few coded bytes, of which no picture can be made: what
/// stands beside it is listed all the same.
std::string jpeg(const std::string& segments) {
  return "\xff\xd8" + segments + segment(0xDA, "\1\1") +
         std::string("coded \xff\0 bytes \xff\xd0\xff\xd9", 19);
}

std::string compressed(const std::string& text) {
  std::string out(compressBound(text.size()), '\0');
  uLongf size = out.size();
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
           text.size());
  out.resize(size);
  return out;
}

/// So many MiB of zeros, deflated: one MiB after another, each behind a full flush.
std::string zeros(int mib, int window_bits) {
  std::string piece(1 << 16, '\0');
  const std::string in(1 << 20, '\0');
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  const auto next = [&] {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    deflate(&stream, Z_FULL_FLUSH);
    return piece.substr(0, piece.size() - stream.avail_out);
  };
  std::string all = next();  // with the head of a zlib or gzip stream
  const std::string again = next();
  deflateEnd(&stream);
  for (int i = 1; i < mib; ++i) all += again;
  return all + std::string("\3\0", 2);  // an empty last block
}

/// EXIF, in the order of bytes that `number` writes: an artist, a camera's owner, a comment as
/// UTF-16, a place.
template <class Number>
std::string camera(const char* order, const Number& number) {
  const std::string artist("Ada Artist\0", 11), owner("Otto Owner\0", 11);
  std::string comment;
  for (const char c : std::string("Hidden Comment")) comment += {c, '\0'};
  const auto entry = [&](unsigned tag, unsigned type, std::size_t count, std::size_t place) {
    return number(tag, 2) + number(type, 2) + number(count, 4) + number(place, 4);
  };
  // Directories at 8 (4 entries), 62 (1), 80 (2); values from 110 on.
  std::string tiff = order + number(42, 2) + number(8, 4) + number(4, 2);
  tiff += entry(0x013B, 2, artist.size(), 110) + entry(0x8769, 4, 1, 62) + entry(0x8825, 4, 1, 80) +
          entry(0x9C9C, 1, comment.size(), 140) + number(0, 4);
  tiff += number(1, 2) + entry(0xA430, 2, owner.size(), 125) + number(0, 4);
  tiff += number(2, 2) + entry(1, 2, 2, 0) + entry(2, 5, 3, 172) + number(0, 4);
  tiff.replace(90, 4, std::string("N\0\0\0", 4));
  tiff.resize(110);
  tiff += artist;
  tiff.resize(125);
  tiff += owner;
  tiff.resize(140);
  tiff += comment;
  tiff.resize(172);
  for (const unsigned n : {48u, 1u, 51u, 1u, 2400u, 100u}) tiff += number(n, 4);
  return tiff;
}

}  // namespace

TEST_CASE("inspect finds every text beside the pixels of a PNG", "[inspect]") {
  const TemporaryFolder folder;
  const std::string program = example("inspect");
  if (program.empty()) return;
  const std::string exif = camera("MM", big);
  std::string hex = "\nexif\n" + std::to_string(exif.size() + 6) + "\n457869660000";
  for (const char c : exif) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
    hex += digits;
  }
  const std::string chunks =
      png_chunk("tEXt", std::string("Comment\0", 8) + std::string(5000, 'x') + " John Doe\x1B[2J") +
      png_chunk("zTXt", std::string("Author\0\0", 8) + compressed("Zoe Zipped")) +
      png_chunk("iTXt",
                std::string("Title\0\1\0de\0Titel\0", 17) + compressed("Ines International")) +
      png_chunk("iTXt",
                std::string("XML:com.adobe.xmp\0\0\0\0\0", 22) + "<x:xmpmeta>Xavier</x:xmpmeta>") +
      png_chunk("zTXt", std::string("Raw profile type exif\0\0", 23) + compressed(hex)) +
      png_chunk("tIME", std::string("\x07\xb2\1\2\3\4\5", 7)) +
      png_chunk("prVt", "\1\2Paul Private") +
      png_chunk("iCCP", std::string("profile\0\0", 9) + compressed("made by Iris Icc"));
  write_file(folder / "x.png", png(folder, chunks) + "Tina Trailing");
  const Outcome outcome = run(folder, program, {folder / "x.png"});
  INFO(outcome.out << outcome.err);
  for (const char* text : {"x John Doe", "zTXt Author", "Zoe Zipped", "Ines International",
                           "Xavier", "Ada Artist", "Otto Owner", "Hidden Comment", "48 51 24",
                           "1970-1-2", "Paul Private", "Iris Icc", "Tina Trailing"})
    CHECK_THAT(outcome.out, contains(text));
  CHECK(outcome.out.find('\x1B') == std::string::npos);
}

TEST_CASE("inspect finds every text beside the pixels of a JPEG", "[inspect]") {
  const TemporaryFolder folder;
  const std::string program = example("inspect");
  if (program.empty()) return;
  const auto resource = [](int id, const std::string& data) {
    return "8BIM" + big(static_cast<unsigned>(id), 2) + std::string(2, '\0') + big(data.size(), 4) +
           data + std::string(data.size() % 2, '\0');
  };
  const auto dataset = [](int number, const std::string& text) {
    return std::string("\x1c\2") + static_cast<char>(number) + big(text.size(), 2) + text;
  };
  const std::string segments =
      segment(0xE1, std::string("Exif\0\0", 6) + camera("II", little)) +
      segment(0xE1, std::string("http://ns.adobe.com/xap/1.0/\0", 29) + "<dc:creator>Xenia") +
      segment(0xE1, std::string("http://ns.adobe.com/xmp/extension/\0", 35) + std::string(40, '0') +
                        "more of Xenia") +
      segment(0xED, std::string("Photoshop 3.0\0", 14) +
                        resource(0x0404, dataset(120, "Cap Tion") + dataset(80, "Bea Byline")) +
                        resource(0x1234, "Rhea Resource")) +
      segment(0xFE, "Cora Comment\x1B]0;x\x07") + segment(0xE5, "\1\2Appl Five\3");
  const std::string file = jpeg(segments);
  // A comment behind the coded lines, and another picture behind the end.
  const std::string late = segment(0xFE, "Lara Late");
  const std::string whole = file.substr(0, file.size() - 2) + late + "\xff\xd9" +
                            jpeg(segment(0xFE, "Second Sam")) + "Tom Trailing";
  write_file(folder / "x.jpg", whole);
  const Outcome outcome = run(folder, program, {folder / "x.jpg"});
  INFO(outcome.out << outcome.err);
  for (const char* text :
       {"Ada Artist", "Otto Owner", "Hidden Comment", "48 51 24", "<dc:creator>Xenia",
        "more of Xenia", "Caption    Cap Tion", "By-line    Bea Byline", "Rhea Resource",
        "Cora Comment", "Appl Five", "Lara Late", "Second Sam", "Tom Trailing"})
    CHECK_THAT(outcome.out, contains(text));
  CHECK(outcome.out.find('\x1B') == std::string::npos);
  // Damage anywhere is no crash, and hides nothing that stands before it.
  for (std::size_t length = 30; length < segments.size(); length += 97) {
    write_file(folder / "y.jpg", whole.substr(0, length));
    CHECK(run(folder, program, {folder / "y.jpg"}).signal == 0);
  }
}

TEST_CASE("inspect takes no more memory than it says, whatever a file promises", "[inspect]") {
  const TemporaryFolder folder;
  const std::string program = example("inspect");
  if (program.empty()) return;
  struct Bomb {
    const char *name, *says;
    std::string content;
  };
  // NIfTI-1: a header that promises 8 GiB, and 3 MiB that grow to 3 GiB.
  std::string header(352, '\0');
  const auto set = [&](std::size_t at, const std::string& bytes) {
    header.replace(at, bytes.size(), bytes);
  };
  set(0, little(348, 4)), set(40, words({3, 2048, 2048, 1024, 1, 1, 1, 1}));
  set(70, words({4, 16})), set(108, std::string("\0\0\xb0\x43", 4)), set(344, "n+1");
  set(148, "Nina Nifti");
  DicomWriter deflated;
  deflated.elements[0] = zeros(600, -15);
  const Bomb bombs[] = {
      {"bomb.nii.gz", "Nina Nifti", std::string()},
      {"bomb.dcm", "allowed", deflated.file("1.2.840.10008.1.2.1.99")},
      {"bomb.png", "NOT SHOWN",
       png(folder, png_chunk("zTXt", std::string("Comment\0\0", 9) + zeros(600, 15)))}};
  for (const Bomb& bomb : bombs) {
    INFO(bomb.name);
    write_file(folder / bomb.name, bomb.content);
    if (bomb.content.empty()) {
      const gzFile file = gzopen((folder / bomb.name).c_str(), "wb9");
      gzwrite(file, header.data(), static_cast<unsigned>(header.size()));
      gzclose(file);
      write_file(folder / bomb.name, read_file(folder / bomb.name) + zeros(600, 31));
    }
    const Outcome outcome =
        run(folder, "/bin/sh",
            {"-c", "ulimit -v 1000000; exec \"$0\" \"$1\"", program, folder / bomb.name});
    INFO(outcome.out << outcome.err);
    CHECK(outcome.signal == 0);
    if (outcome.err.find("without DCMTK") != std::string::npos) continue;
    CHECK_THAT(outcome.out + outcome.err, contains(bomb.says));
    CHECK_THAT(outcome.err, !contains("not enough memory"));
  }
}

// The right answers: the README beside the files.
TEST_CASE("inspect finds the people in files in which it missed them", "[inspect]") {
  const TemporaryFolder folder;
  const std::string program = example("inspect"), cases = real_data("cases");
  if (program.empty() || cases.empty()) return;
  const Outcome outcome = run(
      folder, program, {cases + "/long.png", cases + "/iptc.jpg", cases + "/un_seq_protocol.dcm"});
  INFO(outcome.out << outcome.err);
  for (const char* text : {"xPatient John Doe", "Patient John Doe, 1970-01"})
    CHECK_THAT(outcome.out, contains(text));
  if (outcome.err.find("without DCMTK") != std::string::npos) return;
  for (const char* text : {"SECRET^NAME", "ID12345", "19700101"})
    CHECK_THAT(outcome.out, contains(text));
}
