/// \file
/// The header of a safetensors file, read with suspicion: a JSON object that names each tensor and
/// gives its type, shape and place.
#pragma once

#include <ebb/io/tensor_file.hpp>

#include <nlohmann/json.hpp>

#include <limits>

namespace ebb::inline EBB_ABI::io {

namespace detail {

/// Receives the JSON piece by piece and accepts nothing but a safetensors header, so that no tree
/// is built and nesting cannot run deep. \throws FileError with `where` in front.
class HeaderParser {
 public:
  using json = nlohmann::json;

  explicit HeaderParser(std::string where) : where_(std::move(where)) {}

  std::map<std::string, TensorInfo> tensors;
  Metadata metadata;

  bool start_object(std::size_t) {
    if (in_ == In::file)
      in_ = In::header;
    else if (in_ == In::header && name_ == "__metadata__")
      in_ = In::metadata;
    else if (in_ == In::header)
      begin_tensor();
    else
      unexpected("an object");
    return true;
  }

  bool key(std::string& text) {
    if (in_ == In::header) {
      name_ = text;
      if (name_ == "__metadata__" ? has_metadata_ : tensors.contains(name_))
        fail(message(in_quotes(name_), " is described twice"));
      if (name_ == "__metadata__") has_metadata_ = true;
    } else if (in_ == In::metadata) {
      field_ = text;
      if (metadata.contains(field_))
        fail(message("metadata ", in_quotes(field_), " is given twice"));
    } else {
      field_ = text;
      bool& seen = field_ == "dtype"          ? has_dtype_
                   : field_ == "shape"        ? has_shape_
                   : field_ == "data_offsets" ? has_offsets_
                                              : unknown_field();
      if (seen) fail(message("tensor ", in_quotes(name_), " gives its ", field_, " twice"));
      seen = true;
    }
    return true;
  }

  bool end_object() {
    if (in_ == In::tensor) {
      end_tensor();
      in_ = In::header;
    } else if (in_ == In::metadata) {
      in_ = In::header;
    } else {
      in_ = In::end;
    }
    return true;
  }

  bool start_array(std::size_t) {
    if (in_ == In::tensor && field_ == "shape")
      in_ = In::shape;
    else if (in_ == In::tensor && field_ == "data_offsets")
      in_ = In::offsets;
    else
      unexpected("a list");
    return true;
  }

  bool end_array() {
    if (in_ == In::offsets && offsets_.size() != 2)
      fail(message("tensor ", in_quotes(name_), " has ", offsets_.size(),
                   " data_offsets, and there must be 2"));
    in_ = In::tensor;
    return true;
  }

  bool string(std::string& text) {
    if (in_ == In::metadata) {
      metadata[field_] = text;
    } else if (in_ == In::tensor && field_ == "dtype") {
      const DtypeInfo* found = find_dtype(text);
      if (found == nullptr)
        fail(message("tensor ", in_quotes(name_), " is of type ", in_quotes(text),
                     ", which is unknown"));
      tensor_.dtype = found->dtype;
    } else {
      unexpected("a string");
    }
    return true;
  }

  bool number_unsigned(json::number_unsigned_t value) {
    if (in_ == In::shape) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<Index>::max()))
        fail(message("tensor ", in_quotes(name_), " has an extent of ", value,
                     ", more than can be addressed"));
      tensor_.shape.push_back(static_cast<Index>(value));
    } else if (in_ == In::offsets && offsets_.size() < 2) {
      offsets_.push_back(value);
    } else if (in_ == In::offsets) {
      fail(message("tensor ", in_quotes(name_), " has more than 2 data_offsets"));
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool number_integer(json::number_integer_t value) {
    if (in_ == In::shape || in_ == In::offsets)
      fail(message("tensor ", in_quotes(name_), " has ", value, " in its ", field_,
                   ", which must not be negative"));
    unexpected("a number");
  }
  bool number_float(json::number_float_t, const std::string& text) {
    if (in_ == In::shape || in_ == In::offsets)
      fail(message("tensor ", in_quotes(name_), " has ", in_quotes(text), " in its ", field_,
                   ", which must be integers that fit 64 bits"));
    unexpected("a number");
  }
  bool null() { unexpected("null"); }
  bool boolean(bool) { unexpected("true or false"); }
  bool binary(json::binary_t&) { unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) {
    // The library's own text repeats the bytes it stumbled over; they may be anything.
    const char* what = error.id == 406 ? "a number is too large" : "it is not valid JSON";
    fail(message(what, " at byte ", position));
  }

  /// Places of all tensors: inside the data, one after the other, without gaps or overlaps.
  void check_places(std::uint64_t data_bytes) const {
    std::vector<const std::pair<const std::string, TensorInfo>*> order;
    for (const auto& tensor : tensors) order.push_back(&tensor);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
    });
    std::uint64_t at = 0;
    for (const auto* tensor : order) {
      const auto& [name, t] = *tensor;
      if (t.end > data_bytes)
        fail(message("tensor ", in_quotes(name), " ends at byte ", t.end, " of data that has ",
                     data_bytes, "; the file is truncated or damaged"));
      if (t.begin != at)
        fail(message("tensor ", in_quotes(name), " begins at byte ", t.begin,
                     t.begin < at ? ", inside the tensor before it, which ends at "
                                  : ", after a gap, since the tensor before it ends at ",
                     at));
      at = t.end;
    }
    if (at != data_bytes)
      fail(message("its tensors take ", at, " bytes, and ", data_bytes,
                   " follow the header; it is damaged, or not a safetensors file"));
  }

 private:
  enum class In { file, header, metadata, tensor, shape, offsets, end };

  [[noreturn]] void fail(const std::string& what) const { throw FileError(where_ + what); }

  [[noreturn]] void unexpected(const char* what) const {
    std::string place = "the header";
    if (in_ == In::metadata) place = "metadata " + in_quotes(field_);
    if (in_ == In::header) place = in_quotes(name_);
    if (in_ == In::tensor || in_ == In::shape || in_ == In::offsets)
      place = "the " + field_ + " of tensor " + in_quotes(name_);
    const char* wanted = in_ == In::file       ? "an object"
                         : in_ == In::metadata ? "a string"
                         : in_ == In::header   ? "an object"
                         : in_ == In::tensor   ? field_ == "dtype" ? "a string" : "a list"
                                               : "an integer that is not negative";
    fail(message(place, " is ", what, " where ", wanted, " belongs"));
  }

  [[noreturn]] bool& unknown_field() const {
    fail(message("tensor ", in_quotes(name_), " has a field ", in_quotes(field_),
                 ", and there are only dtype, shape and data_offsets"));
  }

  void begin_tensor() {
    in_ = In::tensor;
    tensor_ = {};
    offsets_.clear();
    has_dtype_ = has_shape_ = has_offsets_ = false;
  }

  void end_tensor() {
    if (!has_dtype_ || !has_shape_ || !has_offsets_)
      fail(message("tensor ", in_quotes(name_), " lacks its ",
                   !has_dtype_   ? "dtype"
                   : !has_shape_ ? "shape"
                                 : "data_offsets"));
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
    auto size = static_cast<std::uint64_t>(bytes(tensor_.dtype));
    bool empty = false;
    for (const Index extent : tensor_.shape) empty = empty || extent == 0;
    for (const Index extent : tensor_.shape) {
      const auto n = static_cast<std::uint64_t>(extent);
      if (!empty && size > most / n)
        fail(message("tensor ", in_quotes(name_), " of shape ", to_string(tensor_.shape),
                     " has more elements than can be addressed"));
      size *= empty ? 1 : n;
    }
    if (empty) size = 0;
    tensor_.begin = offsets_[0];
    tensor_.end = offsets_[1];
    if (tensor_.begin > tensor_.end || tensor_.end - tensor_.begin != size)
      fail(message("tensor ", in_quotes(name_), " of shape ", to_string(tensor_.shape),
                   " and type ", name(tensor_.dtype), " takes ", size,
                   " bytes, and its data_offsets go from ", tensor_.begin, " to ", tensor_.end));
    tensors.emplace(name_, std::move(tensor_));
  }

  std::string where_;
  In in_ = In::file;
  std::string name_, field_;
  TensorInfo tensor_;
  std::vector<std::uint64_t> offsets_;
  bool has_dtype_ = false, has_shape_ = false, has_offsets_ = false, has_metadata_ = false;
};

}  // namespace detail

}  // namespace ebb::io
