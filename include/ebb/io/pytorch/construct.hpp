/// \file
/// What the instructions of a pickle that name, call and fill objects come to.
#pragma once

#include <ebb/io/pytorch/pickle_bytes.hpp>
#include <ebb/io/pytorch/values.hpp>
#include <ebb/io/tensor_file.hpp>

#include <charconv>
#include <cstring>

namespace ebb::inline EBB_ABI::io::detail {

/// A name of the list. \throws FileError for every other.
inline Value named(const PickleBytes& at, std::string_view module, std::string_view name) {
  const Constructor* found = find_constructor(module, name);
  if (found != nullptr) return {.kind = ValueKind::callable, .made_by = found, .text = module};
  const std::string full = in_quotes(std::string(module) + "." + std::string(name));
  if (module.starts_with("__torch__"))
    at.fail(message("it is TorchScript with an object of C++, ", full,
                    "; save its weights alone: torch.save(torch.jit.load(...).state_dict(), ...)"));
  if (module.starts_with("torch.nn.") || module == "__main__")
    at.fail(
        message("it holds an object of the class ", full,
                ", a whole network perhaps, which takes Python to read; save its weights alone: "
                "torch.save(net.state_dict(), ...)"));
  at.fail(
      message("it asks for ", full,
              ", which no file of weights needs; nothing of it was run. If it is from a friend, "
              "save the state_dict alone: torch.save(net.state_dict(), ...)"));
}

/// A storage, of ("storage", its class, its key, a device, its number of elements[, a view]).
inline Value stored(const PickleBytes& at, const Values& values, Ref identifier) {
  const std::vector<Ref>& parts = values[identifier].items;
  if (!values.is(identifier, ValueKind::list) || parts.size() < 5 || !values.is_text(parts[0]))
    at.fail("it has an identifier of something else than a storage");
  if (values[parts[0]].text == "module")
    at.fail(
        "it holds a whole network, which takes Python to read; save its weights alone: "
        "torch.save(net.state_dict(), ...)");
  if (values[parts[0]].text != "storage" || !values.is(parts[1], ValueKind::callable) ||
      values[parts[1]].made_by->role != Role::storage || !values.is_text(parts[2]) ||
      !values.is(parts[4], ValueKind::integer))
    at.fail("it has an identifier of something else than a storage");
  return {.kind = ValueKind::storage, .arguments = identifier};
}

/// The bytes that a text's characters are, all of them below 256 (UTF-8 of Latin-1), or the bytes.
inline std::string bytes_in(const Value& value) {
  if (value.kind != ValueKind::latin) return std::string(value.text);
  std::string all;
  for (std::size_t i = 0; i < value.text.size(); ++i) {
    const auto c = static_cast<unsigned char>(value.text[i]);
    if (c < 0x80 || i + 1 == value.text.size())
      all += static_cast<char>(c);
    else
      all += static_cast<char>((c & 3) << 6 | (static_cast<unsigned char>(value.text[++i]) & 0x3F));
  }
  return all;
}

/// A number of NumPy: of numpy.dtype("f8") and the like, and its bytes. None where it is of another
/// kind.
inline Value numpy_number(const Values& values, const std::vector<Ref>& arguments) {
  if (arguments.size() < 2 || !values.is(arguments[0], ValueKind::object)) return {};
  const Value &type = values[arguments[0]], &raw = values[arguments[1]];
  const std::vector<Ref>& named_by = values[type.arguments].items;
  if (named_by.empty() || !values.is_text(named_by[0]) || raw.text.size() > 16) return {};
  const std::string_view code = values[named_by[0]].text;
  std::string bytes = bytes_in(raw);
  const std::vector<Ref>& state = values[type.state].items;
  const bool swapped = state.size() > 1 && values.is_text(state[1]) && values[state[1]].text == ">";
  if (swapped) std::reverse(bytes.begin(), bytes.end());
  if (code.size() != 2 || bytes.empty() || bytes.size() > 8 ||
      bytes.size() != static_cast<std::size_t>(code[1] - '0'))
    return {};
  std::uint64_t bits = 0;
  std::memcpy(&bits, bytes.data(), std::min(bytes.size(), sizeof bits));
  if (code == "f8") return real_value(std::bit_cast<double>(bits));
  if (code == "f4") return real_value(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  if (code == "b1") return {.kind = ValueKind::boolean, .integer = bits != 0};
  const int unused = 64 - 8 * static_cast<int>(bytes.size());
  auto integer = static_cast<std::int64_t>(bits);
  if (code[0] == 'i') integer = static_cast<std::int64_t>(bits << unused) >> unused;
  if (code[0] == 'i' || code[0] == 'u') return {.kind = ValueKind::integer, .integer = integer};
  return {};
}

/// A dictionary that is called: of another, or of a list of pairs.
inline Ref dictionary_of(const PickleBytes& at, Values& values, const std::vector<Ref>& arguments) {
  if (!arguments.empty() && values.is(arguments[0], ValueKind::dict)) return arguments[0];
  Value made{.kind = ValueKind::dict};
  if (!arguments.empty() && values.is(arguments[0], ValueKind::list)) {
    for (const Ref pair : values[arguments[0]].items) {
      const std::vector<Ref>& both = values[pair].items;
      if (!values.is(pair, ValueKind::list) || both.size() != 2)
        at.fail("it makes a dictionary of what are no pairs");
      made.items.insert(made.items.end(), both.begin(), both.end());
    }
    values.hold(made.items.size());
  }
  return values.add(std::move(made));
}

/// What calling a name, or making an object of a class, comes to.
inline Ref constructed(const PickleBytes& at, Values& values, Ref callee, Ref argument_list) {
  if (!values.is(callee, ValueKind::callable)) at.fail("it calls what is no function");
  if (!values.is(argument_list, ValueKind::list)) at.fail("it calls with what is no tuple");
  const Constructor* what = values[callee].made_by;
  const auto called = [&] {
    return in_quotes(std::string(what->module) + "." + std::string(what->name));
  };
  if (what->role == Role::derived) {  // a tensor with attributes: of the function that makes it
    const std::vector<Ref>& outer = values[argument_list].items;
    if (outer.size() < 3 || !values.is(outer[0], ValueKind::callable) ||
        !values.is(outer[2], ValueKind::list))
      at.fail(message("it calls ", called(), " with what makes no tensor"));
    what = values[outer[0]].made_by;
    argument_list = outer[2];
  }
  const std::vector<Ref>& arguments = values[argument_list].items;
  switch (what->role) {
    case Role::dictionary:
      return dictionary_of(at, values, arguments);
    case Role::same:
      return arguments.empty() ? values.add({.kind = ValueKind::list}) : arguments[0];
    case Role::tensor:
    case Role::typed:
      if (arguments.size() < (what->role == Role::typed ? 7u : 4u) ||
          !values.is(arguments[0], ValueKind::storage))
        at.fail(message("it calls ", called(), " with what makes no tensor"));
      return values.add({.kind = ValueKind::tensor, .made_by = what, .arguments = argument_list});
    case Role::bytes:
      if (arguments.empty() || !values.is_text(arguments[0]))
        at.fail(message("it calls ", called(), " with what is no text"));
      return values.add({.kind = ValueKind::latin, .text = values[arguments[0]].text});
    case Role::number:
      return values.add(numpy_number(values, arguments));
    case Role::instance:
      if (arguments.empty() || !values.is(arguments[0], ValueKind::callable))
        at.fail(message("it calls ", called(), " without a class"));
      return values.add({.kind = ValueKind::object, .made_by = values[arguments[0]].made_by});
    case Role::inert:
      return values.add({.kind = ValueKind::object, .made_by = what, .arguments = argument_list});
    default:
      at.fail(message("it calls ", called(), ", which is no function"));
  }
}

/// Gives an object its attributes.
inline void build(const PickleBytes& at, Values& values, Ref target, Ref state) {
  Value& to = values[target];
  switch (to.kind) {
    case ValueKind::object:
    case ValueKind::dict:
      to.state = state;
      return;
    case ValueKind::tensor:  // attributes of a parameter: nothing that belongs to its elements
      return;
    default:
      at.fail("it gives attributes to what has none");
  }
}

}  // namespace ebb::io::detail
