/// \file
/// What a pickle holds: values in one list, which refer to each other by their places in it. So
/// sharing and cycles cost nothing, and nothing needs to be taken apart by recursion.
#pragma once

#include <ebb/io/pytorch/constructors.hpp>

#include <bit>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::io::detail {

enum class ValueKind : unsigned char {
  none,
  boolean,
  integer,
  large,  ///< an integer beyond 64 bits; `text` has its bytes
  real,
  text,
  bytes,
  latin,     ///< bytes, as a text whose characters they are
  list,      ///< also tuples and sets
  dict,      ///< `items` are key, value, key, value
  callable,  ///< a name of the list of constructors
  storage,   ///< `arguments` are the parts of its persistent identifier
  tensor,    ///< of `made_by` and `arguments`
  object     ///< the same, and `state` are its attributes
};

/// The place of a value.
using Ref = std::uint32_t;
inline constexpr Ref no_value = 0;

struct Value {
  ValueKind kind = ValueKind::none;
  const Constructor* made_by = nullptr;
  Ref arguments = no_value, state = no_value;
  std::int64_t integer = 0;    ///< of a real number its bits
  std::string_view text = {};  ///< in the bytes of the pickle
  std::vector<Ref> items = {};

  double real() const { return std::bit_cast<double>(integer); }
};

inline Value real_value(double x) {
  return {.kind = ValueKind::real, .integer = std::bit_cast<std::int64_t>(x)};
}

/// The values of one pickle or several. The first is None.
class Values {
 public:
  /// A state dict has some 25 values for a tensor.
  static constexpr std::size_t usual = 4'000'000;

  explicit Values(std::size_t most = usual) : most_(most) { all_.emplace_back(); }

  std::size_t most() const { return most_; }
  bool full() const { return all_.size() >= most_ || held_ >= 4 * most_; }
  /// Counts what a value holds that no byte of the pickle stands for.
  void hold(std::size_t items) { held_ += items; }

  Ref add(Value value) {
    all_.push_back(std::move(value));
    return static_cast<Ref>(all_.size() - 1);
  }
  Value& operator[](Ref at) { return all_[at]; }
  const Value& operator[](Ref at) const { return all_[at]; }

  bool is(Ref at, ValueKind kind) const { return all_[at].kind == kind; }
  /// The value of a key in a dictionary, the last one given; None where there is none.
  Ref find(Ref dict, std::string_view key) const {
    const std::vector<Ref>& items = all_[dict].items;
    if (is(dict, ValueKind::dict))
      for (std::size_t i = items.size(); i >= 2; i -= 2)
        if (is_text(items[i - 2]) && all_[items[i - 2]].text == key) return items[i - 1];
    return no_value;
  }
  /// Texts of Python 2 are bytes.
  bool is_text(Ref at) const { return is(at, ValueKind::text) || is(at, ValueKind::bytes); }

 private:
  std::deque<Value> all_;
  std::size_t most_, held_ = 0;
};

}  // namespace ebb::io::detail
