/// \file
/// Reads Python's pickles, protocols 1 to 5, as data. Nothing is run: what a pickle would call is
/// looked up in a fixed list (constructors.hpp), and everything else is refused by its name.
/// Format: Lib/pickletools.py of CPython.
#pragma once

#include <ebb/io/pytorch/construct.hpp>

#include <unordered_map>

namespace ebb::inline EBB_ABI::io::detail {

class Unpickler {
 public:
  Unpickler(std::string where, std::span<const unsigned char> bytes, Values& values)
      : bytes_(std::move(where), bytes), values_(values) {}

  /// How many bytes were read so far.
  std::size_t at() const { return bytes_.at(); }

  /// The next pickle of the bytes. \throws FileError when it cannot be believed.
  Ref load() {
    stack_.clear(), marks_.clear(), memo_.clear();
    while (true) {
      bytes_.begin();
      if (values_.full())
        bytes_.fail(message("it holds more than the ", values_.most(),
                            " values that are allowed; it is damaged, or made to fill memory"));
      const unsigned char code = bytes_.byte();
      if (code == '.') break;
      if (!scalar(code) && !text(code) && !container(code) && !stack_or_memo(code) && !call(code))
        refuse(code);
    }
    const Ref whole = pop();
    if (!stack_.empty() || !marks_.empty()) bytes_.fail("it ends before its values are complete");
    return whole;
  }

 private:
  [[noreturn]] void refuse(unsigned char code) const {
    if (code == 0x82 || code == 0x83 || code == 0x84)
      bytes_.fail(
          "it asks for a name by a number that only the program that wrote it knows; save "
          "it with torch.save");
    if (code == 0x97 || code == 0x98)
      bytes_.fail("it has a part of its bytes elsewhere; save it with torch.save");
    bytes_.fail(message("its instruction ", static_cast<int>(code),
                        " is none of those that torch.save writes; it is damaged, or another kind "
                        "of file"));
  }

  Ref pop() {
    if (stack_.size() <= floor()) bytes_.fail("it takes a value where it has given none");
    const Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }
  Ref& top() {
    if (stack_.size() <= floor()) bytes_.fail("it takes a value where it has given none");
    return stack_.back();
  }
  /// What lies below the last mark is not to be had before the mark is.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) bytes_.fail("it takes values from a mark where it has set none");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Ref> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  bool push(Value value) {
    stack_.push_back(values_.add(std::move(value)));
    return true;
  }
  bool push_integer(std::int64_t x) { return push({.kind = ValueKind::integer, .integer = x}); }
  bool push_boolean(bool x) { return push({.kind = ValueKind::boolean, .integer = x}); }
  bool push_text(ValueKind kind, std::string_view text) {
    return push({.kind = kind, .text = text});
  }

  bool scalar(unsigned char code) {
    switch (code) {
      case 'N':
        return again(no_value);
      case 0x88:
        return push_boolean(true);
      case 0x89:
        return push_boolean(false);
      case 'K':
        return push_integer(bytes_.byte());
      case 'M':
        return push_integer(static_cast<std::int64_t>(bytes_.number(2)));
      case 'J':
        return push_integer(static_cast<std::int32_t>(bytes_.number(4)));
      case 0x8A:
        return push_long(bytes_.take(bytes_.byte()));
      case 0x8B:
        return push_long(bytes_.take(bytes_.number(4)));
      case 'G':
        return push(real_value(bytes_.big_endian_double()));
      case 'I':
      case 'L':
        return push_digits(bytes_.line());
      default:
        return false;
    }
  }
  /// Two's complement, little-endian, in as many bytes as it takes.
  bool push_long(std::string_view raw) {
    if (raw.size() > 8) return push_text(ValueKind::large, raw);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < raw.size(); ++i)
      bits |= std::uint64_t{static_cast<unsigned char>(raw[i])} << 8 * i;
    if (!raw.empty() && raw.size() < 8 && (raw.back() & 0x80) != 0)
      bits |= ~std::uint64_t{0} << 8 * raw.size();
    return push_integer(static_cast<std::int64_t>(bits));
  }
  /// Protocol 1 writes numbers as text, True and False as 01 and 00.
  bool push_digits(std::string_view text) {
    if (text == "00" || text == "01") return push_boolean(text == "01");
    if (text.ends_with('L')) text.remove_suffix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size()) bytes_.fail("it has a number that is none");
    if (error != std::errc{}) return push_text(ValueKind::large, text);
    return push_integer(value);
  }

  bool text(unsigned char code) {
    switch (code) {
      case 'X':
        return push_text(ValueKind::text, bytes_.take(bytes_.number(4)));
      case 0x8C:
        return push_text(ValueKind::text, bytes_.take(bytes_.byte()));
      case 0x8D:
        return push_text(ValueKind::text, bytes_.take(bytes_.number(8)));
      case 'B':
      case 'T':
        return push_text(ValueKind::bytes, bytes_.take(bytes_.number(4)));
      case 'C':
      case 'U':
        return push_text(ValueKind::bytes, bytes_.take(bytes_.byte()));
      case 0x8E:
      case 0x96:
        return push_text(ValueKind::bytes, bytes_.take(bytes_.number(8)));
      default:
        return false;
    }
  }

  bool container(unsigned char code) {
    switch (code) {
      case ')':
      case ']':
      case 0x8F:
        return push({.kind = ValueKind::list});
      case '}':
        return push({.kind = ValueKind::dict});
      case 0x85:
      case 0x86:
      case 0x87: {
        std::vector<Ref> items(code - 0x84u);
        for (std::size_t i = items.size(); i-- > 0;) items[i] = pop();
        return push({.kind = ValueKind::list, .items = std::move(items)});
      }
      case 't':
      case 'l':
      case 0x91:
        return push({.kind = ValueKind::list, .items = pop_to_mark()});
      case 'd':
        return push({.kind = ValueKind::dict, .items = pairs(pop_to_mark())});
      case 'a':
        return append(ValueKind::list, {pop()});
      case 'e':
      case 0x90:
        return append(ValueKind::list, pop_to_mark());
      case 's': {
        const Ref value = pop(), key = pop();
        return append(ValueKind::dict, {key, value});
      }
      case 'u':
        return append(ValueKind::dict, pairs(pop_to_mark()));
      default:
        return false;
    }
  }
  std::vector<Ref> pairs(std::vector<Ref> items) const {
    if (items.size() % 2 != 0) bytes_.fail("it gives a key without a value");
    return items;
  }
  bool append(ValueKind kind, const std::vector<Ref>& more) {
    Value& to = values_[top()];
    if (to.kind != kind)
      bytes_.fail(kind == ValueKind::list ? "it appends to what is no list"
                                          : "it sets an item of what is no dictionary");
    to.items.insert(to.items.end(), more.begin(), more.end());
    return true;
  }

  bool stack_or_memo(unsigned char code) {
    switch (code) {
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case '0':
        pop();
        return true;
      case '1':
        pop_to_mark();
        return true;
      case '2':
        return again(top());
      case 'q':
        return remember(bytes_.byte());
      case 'r':
        return remember(bytes_.number(4));
      case 0x94:
        return remember(memo_.size());
      case 'h':
        return recall(bytes_.byte());
      case 'j':
        return recall(bytes_.number(4));
      case 0x80: {
        const int protocol = bytes_.byte();
        if (protocol > 5)
          bytes_.fail(
              message("it is of pickle protocol ", protocol, ", and those up to 5 are read"));
        return true;
      }
      case 0x95:  // a frame is a hint how much to read at a time
        bytes_.number(8);
        return true;
      default:
        return false;
    }
  }
  bool remember(std::uint64_t place) {
    memo_[place] = top();
    return true;
  }
  bool again(Ref value) {
    values_.hold(1);
    stack_.push_back(value);
    return true;
  }
  bool recall(std::uint64_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end())
      bytes_.fail(message("it recalls value ", place, ", which it has not given"));
    return again(found->second);
  }

  bool call(unsigned char code) {
    switch (code) {
      case 'c': {
        const std::string_view module = bytes_.line(), name = bytes_.line();
        return push(named(bytes_, module, name));
      }
      case 0x93: {
        const Ref name = pop(), module = pop();
        if (!values_.is_text(name) || !values_.is_text(module))
          bytes_.fail("it asks for a name that is no text");
        return push(named(bytes_, values_[module].text, values_[name].text));
      }
      case 'Q':
        return push(stored(bytes_, values_, pop()));
      case 'R':
      case 0x81: {
        const Ref arguments = pop();
        top() = constructed(bytes_, values_, top(), arguments);
        return true;
      }
      case 0x92: {  // with a dictionary of named arguments
        pop();
        const Ref arguments = pop();
        top() = constructed(bytes_, values_, top(), arguments);
        return true;
      }
      case 'b': {
        const Ref state = pop();
        build(bytes_, values_, top(), state);
        return true;
      }
      default:
        return false;
    }
  }

  PickleBytes bytes_;
  Values& values_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Ref> memo_;
};

}  // namespace ebb::io::detail
