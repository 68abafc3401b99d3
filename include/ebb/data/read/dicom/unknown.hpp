/// \file
/// Elements of DICOM whose value representation is UN: a writer did not know them, and DCMTK leaves
/// them as bytes. Whoever knows an element may take its value for implicit VR, little endian,
/// whatever the transfer syntax (PS3.5, 6.2.2, note 2).
#pragma once

#include <ebb/data/read/dicom/dcmtk_library.hpp>
#include <ebb/data/read/dicom/stream.hpp>

#include <memory>

namespace ebb::inline EBB_ABI::data::detail {

/// The element of `tag` with this value, in implicit VR, little endian. Null where it is not sound.
inline std::unique_ptr<DcmElement> read_element(const DcmTagKey& tag,
                                                std::span<const unsigned char> value) {
  std::vector<unsigned char> bytes(8 + value.size());
  const auto length = static_cast<std::uint32_t>(value.size());
  for (std::size_t i = 0; i < 2; ++i) {
    bytes[i] = static_cast<unsigned char>(tag.getGroup() >> 8 * i);
    bytes[2 + i] = static_cast<unsigned char>(tag.getElement() >> 8 * i);
  }
  for (std::size_t i = 0; i < 4; ++i) bytes[4 + i] = static_cast<unsigned char>(length >> 8 * i);
  std::copy(value.begin(), value.end(), bytes.begin() + 8);
  DcmDataset holder;
  try {
    const DicomStream sound("an element", std::move(bytes), implicit_little_endian);
    const std::span<const unsigned char> all = sound.data_set_bytes();
    DcmInputBufferStream buffer;
    buffer.setBuffer(all.data(), static_cast<offile_off_t>(all.size()));
    buffer.setEos();
    holder.transferInit();
    const OFCondition result = holder.read(buffer, EXS_LittleEndianImplicit);
    holder.transferEnd();
    if (result.bad()) return {};
  } catch (const FileError&) {
    return {};
  }
  return std::unique_ptr<DcmElement>(holder.card() == 1 ? holder.remove(0ul) : nullptr);
}

/// An element that is UN as what it is: by the dictionary or, where a private one holds items, as a
/// sequence. Null where neither helps.
inline std::unique_ptr<DcmElement> known_element(DcmElement& unknown) {
  Uint8* bytes = nullptr;
  if (unknown.getUint8Array(bytes).bad() || !bytes) return {};
  const std::span<const unsigned char> value(bytes, unknown.getLength());
  const DcmTagKey key = unknown.getTag();
  const DcmEVR vr = DcmTag(key).getEVR();
  if (key.getGroup() % 2 == 0 && vr != EVR_UN && vr != EVR_UNKNOWN && vr != EVR_UNKNOWN2B)
    return read_element(key, value);
  static constexpr unsigned char item[] = {0xFE, 0xFF, 0x00, 0xE0};
  if (value.size() < 8 || !std::equal(item, item + 4, value.begin())) return {};
  // Read under the name of a sequence that the dictionary knows, and its items handed over.
  const std::unique_ptr<DcmElement> read = read_element(DCM_ReferencedImageSequence, value);
  auto* const from = dynamic_cast<DcmSequenceOfItems*>(read.get());
  if (!from) return {};
  DcmTag tag = unknown.getTag();
  tag.setVR(DcmVR(EVR_SQ));
  auto to = std::make_unique<DcmSequenceOfItems>(tag);
  while (from->card() > 0)
    if (DcmItem* const moved = from->remove(0ul); to->append(moved).bad()) delete moved;
  return to;
}

/// Whether DCMTK left it as bytes: a UN, or a private element in implicit VR.
inline bool is_unknown(const DcmObject& element) {
  const DcmEVR vr = element.ident();
  return vr == EVR_UN || vr == EVR_UNKNOWN || vr == EVR_UNKNOWN2B;
}

/// Puts what is known in place of what is UN, within sequences too.
inline void resolve_unknown(DcmItem& item, int depth = 0) {
  if (depth > DicomStream::deepest) return;
  bool any = false;
  for (DcmObject* at = nullptr; (at = item.nextInContainer(at)) != nullptr;) {
    if (auto* const sequence = dynamic_cast<DcmSequenceOfItems*>(at)) {
      for (DcmObject* in = nullptr; (in = sequence->nextInContainer(in)) != nullptr;)
        if (auto* const inner = dynamic_cast<DcmItem*>(in)) resolve_unknown(*inner, depth + 1);
    } else {
      any = any || is_unknown(*at);
    }
  }
  if (!any) return;
  // DCMTK searches its list from an end: all are taken out and put back, in order.
  std::vector<std::unique_ptr<DcmElement>> all;
  while (item.card() > 0) all.emplace_back(item.remove(0ul));
  for (auto& element : all) {
    if (element && is_unknown(*element) && !dynamic_cast<DcmSequenceOfItems*>(element.get()))
      if (auto known = known_element(*element)) {
        element = std::move(known);
        if (auto* const sequence = dynamic_cast<DcmSequenceOfItems*>(element.get()))
          for (DcmObject* in = nullptr; (in = sequence->nextInContainer(in)) != nullptr;)
            if (auto* const inner = dynamic_cast<DcmItem*>(in)) resolve_unknown(*inner, depth + 1);
      }
    if (element && item.insert(element.get()).good()) static_cast<void>(element.release());
  }
}

}  // namespace ebb::data::detail
