/// \file
/// A DICOM file parsed by DCMTK, and what its elements say as numbers and texts. DCMTK is started
/// here: its log is switched off, and its decoders of JPEG and JPEG-LS are registered, which leave
/// colours as they are coded.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/data/read/dicom/dcmtk_library.hpp>
#include <ebb/data/read/dicom/unknown.hpp>
#include <ebb/data/read/printable.hpp>

#include <charconv>
#include <optional>

namespace ebb::inline EBB_ABI::data::detail {

/// Once in a program. A program that wants DCMTK's log configures it afterwards.
inline void start_dcmtk() {
  static const bool started = [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    DJDecoderRegistration::registerCodecs(EDC_never);
    DJLSDecoderRegistration::registerCodecs();
    return dcmDataDict.isDictionaryLoaded() != OFFalse;
  }();
  if (!started)
    throw FileError(
        "dicom: DCMTK finds no data dictionary; install the files of libdcmtk, or name dicom.dic "
        "in "
        "the environment variable DCMDICTPATH");
}

/// A text without the padding of its value, and without what a terminal obeys.
inline std::string dicom_text(const OFString& raw) {
  std::string text(raw.c_str(), raw.size());
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  return printable(text);
}

class DicomFile {
 public:
  /// \throws FileError when the file is missing, damaged, or no DICOM file.
  DicomFile(const char* who, const std::string& path, DicomOptions options) {
    const DicomStream stream(who, path, options);
    source = stream.source, syntax = stream.syntax, guessed = stream.guessed;
    preamble = stream.before_data_set;
    start_dcmtk();
    const DcmXfer named(syntax.c_str());
    if (named.getXfer() == EXS_Unknown)
      fail(message("its transfer syntax is '", dicom_text(syntax.c_str()),
                   "', which DCMTK does not know; convert it to explicit VR little endian"));
    syntax_name = named.getXferName();
    coded = named.getXfer();
    if (coded == EXS_DeflatedLittleEndianExplicit) coded = EXS_LittleEndianExplicit;
    const OFCondition result = parse(*data, stream.data_set_bytes(), coded);
    if (result.bad())
      fail(message("it cannot be parsed: ", result.text(), "; it is damaged, copy it again"));
    resolve_unknown(*data);
    find_groups();
    if (!stream.meta.empty()) {
      bool sound_meta = false;
      try {
        const DicomStream sound(source, stream.meta, "1.2.840.10008.1.2.1");
        sound_meta = parse(*meta, sound.data_set_bytes(), EXS_LittleEndianExplicit).good();
      } catch (const FileError&) {
      }
      if (!sound_meta) preamble.insert(preamble.end(), stream.meta.begin(), stream.meta.end());
    }
  }

  std::string source, syntax, syntax_name;
  bool guessed = false;
  E_TransferSyntax coded = EXS_Unknown;  ///< of `data`: inflated, if it was deflated
  std::unique_ptr<DcmDataset> data = std::make_unique<DcmDataset>();
  std::unique_ptr<DcmDataset> meta = std::make_unique<DcmDataset>();  ///< file meta information
  /// What stands before the data set and is no element: the preamble, and damaged meta information.
  std::vector<unsigned char> preamble;

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message(source, ": ", what));
  }

  /// Value `i` of an element of `item`. \throws FileError when it is there and no finite number.
  std::optional<double> number(DcmItem& item, const DcmTagKey& key, unsigned long i = 0) const {
    DcmElement* element = nullptr;
    if (item.findAndGetElement(key, element).bad() || element->getLength() == 0) return {};
    if (i >= element->getVM()) return {};
    double value = 0;
    const DcmEVR vr = element->ident();
    bool sound = false;
    if (vr == EVR_DS || vr == EVR_IS) {
      OFString raw;
      if (element->getOFString(raw, i).bad()) return {};
      const std::string text = dicom_text(raw);
      const char* begin = text.c_str() + (text.starts_with('+') ? 1 : 0);
      const char* end = text.c_str() + text.size();
      const auto [stop, error] = std::from_chars(begin, end, value);
      if (begin == end) return {};
      sound = error == std::errc{} && stop == end;
    } else {
      Uint16 small = 0;
      Sint16 small_signed = 0;
      Uint32 wide = 0;
      sound = true;
      if (element->getUint16(small, i).good())
        value = small;
      else if (element->getSint16(small_signed, i).good())
        value = small_signed;
      else if (element->getUint32(wide, i).good())
        value = wide;
      else
        sound = element->getFloat64(value, i).good();
    }
    if (!sound || !math::is_finite(value))
      fail(message(dicom_tag_text(key.getGroup(), key.getElement()), " ", DcmTag(key).getTagName(),
                   " is '", text(item, key), "', and not a number"));
    return value;
  }
  std::optional<double> number(const DcmTagKey& key, unsigned long i = 0) const {
    return number(*data, key, i);
  }

  /// A whole number from `least` to `most`.
  /// \throws FileError when it is another, or missing and `otherwise` is negative.
  Index whole(const DcmTagKey& key, Index least, Index most, Index otherwise = -1) const {
    const std::optional<double> value = number(key);
    const std::string name =
        message(dicom_tag_text(key.getGroup(), key.getElement()), " ", DcmTag(key).getTagName());
    if (!value) {
      if (otherwise < 0) fail(message("it has no ", name, ", which an image needs"));
      return otherwise;
    }
    if (*value != std::floor(*value) || *value < static_cast<double>(least) ||
        *value > static_cast<double>(most))
      fail(message(name, " is ", *value, ", and not a whole number from ", least, " to ", most));
    return static_cast<Index>(*value);
  }

  /// All values of an element, with '\' between them; "" when it is not there.
  std::string text(DcmItem& item, const DcmTagKey& key) const {
    OFString raw;
    if (item.findAndGetOFStringArray(key, raw).bad()) return {};
    return dicom_text(raw);
  }
  std::string text(const DcmTagKey& key) const { return text(*data, key); }

  /// The item that says something of a frame: in its own functional groups, in those that all
  /// frames share (PS3.3, C.7.6.16), or else the data set itself.
  DcmItem& group(Index frame, const DcmTagKey& sequence) const {
    const std::size_t own = static_cast<std::size_t>(frame) + 1;
    for (const std::size_t i : {own, std::size_t{0}}) {
      DcmItem* inner = nullptr;
      if (i < groups_.size() && groups_[i] &&
          groups_[i]->findAndGetSequenceItem(sequence, inner, 0).good())
        return *inner;
    }
    return *data;
  }

  bool has_frame_groups() const { return groups_.size() > 1; }

  /// Items beyond the frames are let be: a file cut down to some frames may keep them all.
  /// \throws FileError when the file describes fewer frames than the image has.
  void check_frame_groups(Index frames) const {
    const std::size_t described = groups_.size() - 1;
    if (described != 0 && described < static_cast<std::size_t>(frames))
      fail(message("its image has ", frames,
                   " frames, and (5200,9230) PerFrameFunctionalGroupsSequence has ", described,
                   described == 1 ? " item" : " items", "; it is damaged, copy it again"));
  }

 private:
  static OFCondition parse(DcmDataset& to, std::span<const unsigned char> bytes,
                           E_TransferSyntax as) {
    DcmInputBufferStream buffer;
    buffer.setBuffer(bytes.data(), static_cast<offile_off_t>(bytes.size()));
    buffer.setEos();
    to.transferInit();
    const OFCondition result = to.read(buffer, as, EGL_noChange, DCM_MaxReadLength);
    to.transferEnd();
    return result;
  }

  /// Once, from front to back: DCMTK counts through its lists from the front at every look-up.
  void find_groups() {
    DcmItem* shared = nullptr;
    static_cast<void>(data->findAndGetSequenceItem(DCM_SharedFunctionalGroupsSequence, shared, 0));
    groups_.push_back(shared);
    DcmSequenceOfItems* frames = nullptr;
    if (data->findAndGetSequence(DCM_PerFrameFunctionalGroupsSequence, frames).good() && frames)
      for (DcmObject* at = nullptr; (at = frames->nextInContainer(at)) != nullptr;)
        groups_.push_back(dynamic_cast<DcmItem*>(at));
  }

  std::vector<DcmItem*> groups_;  // shared by all frames; of the first frame; ...
};

}  // namespace ebb::data::detail
