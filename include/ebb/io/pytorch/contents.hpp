/// \file
/// What an unpickled object holds: the tensors of its state dict, and plain facts beside them.
#pragma once

#include <ebb/core/number.hpp>
#include <ebb/data/read/printable.hpp>
#include <ebb/io/pytorch/layout.hpp>

#include <map>
#include <set>

namespace ebb::inline EBB_ABI::io::detail {

/// Walks dictionaries, lists and objects. Sharing may make a small pickle a large tree, so that
/// steps, depth and the length of names have their limits.
class Contents {
 public:
  static constexpr std::size_t most_steps = 1'000'000, longest_name = 4096, deepest = 32,
                               longest_text = std::size_t{1} << 20,
                               most_text = std::size_t{1} << 24;

  /// `key`: the entry that is the state dict ("" finds it). `where` begins every message.
  Contents(std::string where, const Values& values, Ref root, const std::string& key)
      : where_(std::move(where)), values_(values) {
    const Ref state = key.empty() ? find_state(root) : follow(root, key);
    steps_ = 0;
    collect_tensors(state, "", 0);
    steps_ = 0;
    collect_facts(root, "", 0);
    collect_own(values_[state].state);
  }

  std::map<std::string, Layout> tensors;
  Metadata metadata;

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message(where_, ": ", what));
  }

  /// Lightning and most training loops keep the state dict under one of these.
  Ref find_state(Ref root) {
    for (const char* key : {"state_dict", "model_state_dict", "model"}) {
      const Ref inside = values_.find(root, key);
      if (values_.is(inside, ValueKind::dict) && holds_tensors(inside, 0)) return inside;
    }
    return root;
  }
  bool holds_tensors(Ref at, std::size_t depth) {
    if (values_.is(at, ValueKind::tensor)) return true;
    bool found = false;
    each(at, depth,
         [&](const std::string&, Ref item) { found = found || holds_tensors(item, depth + 1); });
    return found;
  }
  Ref follow(Ref root, const std::string& key) {
    for (std::size_t at = 0; at <= key.size();) {
      const std::size_t end = std::min(key.find('.', at), key.size());
      const Ref rest = values_.find(root, std::string_view(key).substr(at));
      if (rest != no_value) return rest;
      root = values_.find(root, std::string_view(key).substr(at, end - at));
      if (root == no_value) {
        fail(message("it has no entry ", in_quotes(key)));
      }
      at = end + 1;
    }
    return root;
  }

  /// Calls `f(name, value)` for what is directly inside; names of items of lists are numbers.
  template <class F>
  void each(Ref at, std::size_t depth, F&& f) {
    if (depth >= deepest)
      fail(message("its entries lie more than ", deepest, " deep in one another"));
    const Value& value = values_[at];
    if (value.kind == ValueKind::object && value.state != no_value)
      return each(value.state, depth + 1, f);
    const bool dict = value.kind == ValueKind::dict;
    if (!dict && value.kind != ValueKind::list) return;
    for (std::size_t i = 0; i < value.items.size(); i += dict ? 2 : 1) {
      if (++steps_ > most_steps)
        fail(message("its entries, followed from one to the other, are more than ", most_steps,
                     "; it is damaged, or made to keep its reader busy"));
      if (dict) {
        const Value& key = values_[value.items[i]];
        if (key.kind == ValueKind::integer)
          f(std::to_string(key.integer), value.items[i + 1]);
        else if (values_.is_text(value.items[i]))
          f(std::string(key.text.substr(0, longest_name + 1)), value.items[i + 1]);
      } else {
        f(std::to_string(i), value.items[i]);
      }
    }
  }
  static std::string digits(double x) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, x).ptr};
  }
  static std::string joined(const std::string& prefix, const std::string& name) {
    return prefix.empty() ? name : prefix + "." + name;
  }

  void collect_tensors(Ref at, const std::string& name, std::size_t depth) {
    if (name.size() > longest_name)
      fail(message("a name in it is longer than ", longest_name, " bytes: ", in_quotes(name)));
    if (values_.is(at, ValueKind::tensor)) {
      const auto wrong = [&](const std::string& what) {
        fail(message("tensor ", in_quotes(name), " ", what));
      };
      tensors.insert_or_assign(name, LayoutReader(values_, wrong).read(at));
      return;
    }
    each(at, depth, [&](const std::string& inner, Ref item) {
      collect_tensors(item, joined(name, inner), depth + 1);
    });
  }

  /// Numbers and texts under their dotted names. They are nobody's weights: what is long, deep or
  /// too much is left out.
  void collect_facts(Ref at, const std::string& name, std::size_t depth) {
    if (depth > 8 || name.size() > longest_name || text_ > most_text) return;
    const Value& value = values_[at];
    if (value.kind == ValueKind::integer) return put(name, std::to_string(value.integer));
    if (value.kind == ValueKind::real) return put(name, digits(value.real()));
    if (value.kind == ValueKind::boolean) return put(name, value.integer != 0 ? "true" : "false");
    if (value.kind == ValueKind::text)
      return put(name, std::string(value.text.substr(0, longest_text + 1)));
    if (depth == 8) return;
    each(at, depth, [&](const std::string& inner, Ref item) {
      collect_facts(item, joined(name, inner), depth + 1);
    });
  }
  void put(const std::string& name, std::string text) {
    if (name.empty() || text.size() > longest_text || !data::detail::is_utf8(text)) return;
    text_ += name.size() + text.size();
    metadata.insert_or_assign(name, std::move(text));
  }
  /// What ebb wrote beside a state dict: an attribute of it, which PyTorch keeps and does not mind.
  void collect_own(Ref attributes) {
    const Ref own = values_.find(attributes, "ebb_metadata");
    each(own, 0, [&](const std::string& name, Ref item) {
      if (values_.is(item, ValueKind::text)) put(name, std::string(values_[item].text));
    });
  }

  std::string where_;
  const Values& values_;
  std::size_t steps_ = 0, text_ = 0;
};

}  // namespace ebb::io::detail
