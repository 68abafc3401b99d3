/// \file
/// Where the elements of a pickled tensor lie in its storage.
#pragma once

#include <ebb/io/pytorch/construct.hpp>

#include <limits>

namespace ebb::inline EBB_ABI::io::detail {

/// A tensor as a view of a storage. Offsets, strides and extents count elements, none of which lies
/// outside of the storage's `count`.
struct Layout {
  std::string storage;  ///< its key
  Dtype dtype = Dtype::f32;
  std::uint64_t offset = 0, count = 0;
  std::vector<Index> shape, strides;

  std::uint64_t size() const {
    std::uint64_t n = 1;
    for (const Index extent : shape) n *= static_cast<std::uint64_t>(extent);
    return n;
  }
  /// How many elements lie between its first and its last, with these.
  std::uint64_t span() const {
    std::uint64_t n = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 0) return 0;
      n += static_cast<std::uint64_t>(shape[i] - 1) * static_cast<std::uint64_t>(strides[i]);
    }
    return n;
  }
  /// Whether its elements follow each other as they do in a tensor of ebb.
  bool contiguous() const {
    std::uint64_t step = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (shape[i] == 0) return true;
      if (shape[i] != 1 && static_cast<std::uint64_t>(strides[i]) != step) return false;
      step *= static_cast<std::uint64_t>(shape[i]);
    }
    return true;
  }
};

/// Reads what a pickle says of a tensor; `fail(what)` throws.
template <class Fail>
class LayoutReader {
 public:
  LayoutReader(const Values& values, const Fail& fail) : values_(values), fail_(fail) {}

  Layout read(Ref tensor) const {
    const Value& made = values_[tensor];
    const std::vector<Ref>& arguments = values_[made.arguments].items;
    Layout layout;
    layout.offset = natural(arguments[1], "offset");
    layout.shape = naturals(arguments[2], "extents");
    layout.strides = naturals(arguments[3], "strides");
    const std::uint64_t storage_bytes = read_storage(arguments[0], layout);
    if (made.made_by->role == Role::typed) read_type(arguments[6], layout);
    const std::size_t metadata = made.made_by->role == Role::typed ? 7 : 6;
    if (arguments.size() > metadata &&
        values_.is(values_.find(arguments[metadata], "neg"), ValueKind::boolean))
      fail_("is the negative of its elements, lazily; save it with resolve_neg()");
    layout.count = storage_bytes / static_cast<std::uint64_t>(bytes(layout.dtype));
    check(layout);
    return layout;
  }

 private:
  std::uint64_t natural(Ref at, const char* what) const {
    if (!values_.is(at, ValueKind::integer) || values_[at].integer < 0)
      fail_(message("needs integers from 0 on for its ", what));
    return static_cast<std::uint64_t>(values_[at].integer);
  }
  std::vector<Index> naturals(Ref at, const char* what) const {
    const std::vector<Ref>& items = values_[at].items;
    if (!values_.is(at, ValueKind::list) || items.size() > 64)
      fail_(message("needs a tuple of at most 64 integers for its ", what));
    std::vector<Index> all;
    all.reserve(items.size());
    for (const Ref item : items) all.push_back(static_cast<Index>(natural(item, what)));
    return all;
  }

  /// Returns how many bytes the storage has, by the pickle.
  std::uint64_t read_storage(Ref storage, Layout& layout) const {
    const std::vector<Ref>& parts = values_[values_[storage].arguments].items;
    const Constructor& kind = *values_[parts[1]].made_by;
    if (!kind.dtype)
      fail_(message("is in a ", std::string(kind.name),
                    ", whose elements ebb has no type for; leave it out, or convert it"));
    layout.dtype = *kind.dtype;
    layout.storage = std::string(values_[parts[2]].text);
    const auto width = static_cast<std::uint64_t>(bytes(layout.dtype));
    std::uint64_t count = natural(parts[4], "storage's size");
    if (parts.size() > 5 && values_.is(parts[5], ValueKind::list)) {  // of the old format: a part
      const std::vector<Ref>& view = values_[parts[5]].items;
      if (view.size() != 3) fail_("is in a part of a storage that is not described");
      const std::uint64_t begin = natural(view[1], "offset"), part = natural(view[2], "size");
      if (begin > count || part > count - begin)
        fail_("is in a part that its storage does not have");
      if (layout.offset > part) fail_("begins behind the end of its storage");
      layout.offset += begin;
      count = begin + part;
    }
    if (count > std::numeric_limits<std::uint64_t>::max() / width)
      fail_("is in a storage larger than can be addressed");
    return count * width;
  }
  void read_type(Ref type, Layout& layout) const {
    if (!values_.is(type, ValueKind::callable) || values_[type].made_by->role != Role::element)
      fail_("is of a type that is none");
    const Constructor& element = *values_[type].made_by;
    if (!element.dtype)
      fail_(message("is of type torch.", std::string(element.name),
                    ", which ebb does not have; leave it out, or convert it"));
    layout.dtype = *element.dtype;
  }

  void check(const Layout& layout) const {
    if (layout.shape.size() != layout.strides.size())
      fail_(message("has shape ", to_string(layout.shape), " and ", layout.strides.size(),
                    " strides"));
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
    bool empty = false;
    for (const Index extent : layout.shape) empty = empty || extent == 0;
    if (empty) return;
    std::uint64_t size = static_cast<std::uint64_t>(bytes(layout.dtype)), last = layout.offset;
    for (std::size_t i = 0; i < layout.shape.size(); ++i) {
      const auto extent = static_cast<std::uint64_t>(layout.shape[i]);
      const auto stride = static_cast<std::uint64_t>(layout.strides[i]);
      if (size > most / extent)
        fail_(message("of shape ", to_string(layout.shape),
                      " has more elements than can be addressed"));
      size *= extent;
      if (extent > 1 && stride > (most - last) / (extent - 1))
        last = most;
      else
        last += (extent - 1) * stride;
    }
    if (last >= layout.count)
      fail_(message("of shape ", to_string(layout.shape), " reaches element ", last,
                    " of a storage that has ", layout.count, " of them; it is damaged"));
  }

  const Values& values_;
  const Fail& fail_;
};

}  // namespace ebb::io::detail
