/// \file
/// The names that a pickle of weights may ask for, and what each stands for here. Nothing else is
/// known, and nothing of Python is ever called: a name is a word with a meaning of ours.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/io/dtype.hpp>

#include <optional>
#include <string_view>

namespace ebb::inline EBB_ABI::io::detail {

/// What is made when a name is called with arguments.
enum class Role : unsigned char {
  dictionary,  ///< an empty one, or the pairs of the first argument
  same,        ///< the first argument as it is
  tensor,      ///< of a storage, an offset, sizes and strides
  typed,       ///< the same, with the type of its elements as the seventh argument
  derived,     ///< of a function of this list, a class, and the function's arguments
  bytes,       ///< of a text whose characters are bytes
  number,      ///< of NumPy's type and its bytes
  instance,    ///< of a class, which is the first argument
  inert,       ///< an object that is kept and never looked at but for its attributes
  storage,     ///< the type of a storage: not called
  element,     ///< the type of a tensor's elements: not called
  name         ///< not called either
};

struct Constructor {
  std::string_view module, name;
  Role role;
  std::optional<Dtype> dtype = {};  ///< of a storage or an element, where ebb has it
};

inline constexpr Constructor constructors[] = {
    {"collections", "OrderedDict", Role::dictionary},
    {"collections", "defaultdict", Role::dictionary},
    {"collections", "Counter", Role::dictionary},
    {"collections", "deque", Role::same},
    {"builtins", "set", Role::same},
    {"builtins", "frozenset", Role::same},
    {"builtins", "list", Role::same},
    {"builtins", "tuple", Role::same},
    {"builtins", "dict", Role::dictionary},
    {"builtins", "bytearray", Role::inert},
    {"builtins", "complex", Role::inert},
    {"builtins", "slice", Role::inert},
    {"builtins", "range", Role::inert},
    {"builtins", "int", Role::name},
    {"builtins", "float", Role::name},
    {"builtins", "bool", Role::name},
    {"builtins", "str", Role::name},
    {"builtins", "object", Role::name},
    {"copyreg", "_reconstructor", Role::instance},
    {"_codecs", "encode", Role::bytes},
    {"argparse", "Namespace", Role::inert},
    {"types", "SimpleNamespace", Role::inert},
    {"datetime", "datetime", Role::inert},
    {"datetime", "date", Role::inert},
    {"datetime", "timedelta", Role::inert},
    {"pathlib", "PosixPath", Role::inert},
    {"pathlib", "WindowsPath", Role::inert},
    {"pathlib", "PurePosixPath", Role::inert},
    {"pathlib", "PureWindowsPath", Role::inert},
    {"numpy.core.multiarray", "scalar", Role::number},
    {"numpy._core.multiarray", "scalar", Role::number},
    {"numpy.core.multiarray", "_reconstruct", Role::inert},
    {"numpy._core.multiarray", "_reconstruct", Role::inert},
    {"numpy", "ndarray", Role::name},
    {"numpy", "dtype", Role::inert},
    {"pytorch_lightning.utilities.parsing", "AttributeDict", Role::dictionary},
    {"lightning.pytorch.utilities.parsing", "AttributeDict", Role::dictionary},
    {"lightning_fabric.utilities.data", "AttributeDict", Role::dictionary},
    {"lightning.fabric.utilities.data", "AttributeDict", Role::dictionary},
    {"pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint", Role::name},
    {"pytorch_lightning.callbacks.early_stopping", "EarlyStopping", Role::name},
    {"torch._utils", "_rebuild_tensor", Role::tensor},
    {"torch._utils", "_rebuild_tensor_v2", Role::tensor},
    {"torch._utils", "_rebuild_tensor_v3", Role::typed},
    {"torch._utils", "_rebuild_parameter", Role::same},
    {"torch._utils", "_rebuild_parameter_with_state", Role::same},
    {"torch._tensor", "_rebuild_from_type_v2", Role::derived},
    {"torch", "Tensor", Role::name},
    {"torch.nn.parameter", "Parameter", Role::same},
    {"torch.nn.parameter", "Buffer", Role::same},
    {"torch", "Size", Role::same},
    {"torch", "device", Role::inert},
    {"torch.serialization", "_get_layout", Role::inert},
    {"torch.jit._pickle", "build_intlist", Role::same},
    {"torch.jit._pickle", "build_tensorlist", Role::same},
    {"torch.jit._pickle", "build_doublelist", Role::same},
    {"torch.jit._pickle", "build_boollist", Role::same},
    {"torch.jit._pickle", "restore_type_tag", Role::same},
    {"torch", "FloatStorage", Role::storage, Dtype::f32},
    {"torch", "DoubleStorage", Role::storage, Dtype::f64},
    {"torch", "HalfStorage", Role::storage, Dtype::f16},
    {"torch", "BFloat16Storage", Role::storage, Dtype::bf16},
    {"torch", "LongStorage", Role::storage, Dtype::i64},
    {"torch", "IntStorage", Role::storage, Dtype::i32},
    {"torch", "ShortStorage", Role::storage, Dtype::i16},
    {"torch", "CharStorage", Role::storage, Dtype::i8},
    {"torch", "ByteStorage", Role::storage, Dtype::u8},
    {"torch", "BoolStorage", Role::storage, Dtype::boolean},
    {"torch.storage", "UntypedStorage", Role::storage, Dtype::u8},
    {"torch", "UntypedStorage", Role::storage, Dtype::u8},
    {"torch", "ComplexFloatStorage", Role::storage},
    {"torch", "ComplexDoubleStorage", Role::storage},
    {"torch", "QInt8Storage", Role::storage},
    {"torch", "QUInt8Storage", Role::storage},
    {"torch", "QInt32Storage", Role::storage},
    {"torch", "float32", Role::element, Dtype::f32},
    {"torch", "float64", Role::element, Dtype::f64},
    {"torch", "float16", Role::element, Dtype::f16},
    {"torch", "bfloat16", Role::element, Dtype::bf16},
    {"torch", "int64", Role::element, Dtype::i64},
    {"torch", "int32", Role::element, Dtype::i32},
    {"torch", "int16", Role::element, Dtype::i16},
    {"torch", "int8", Role::element, Dtype::i8},
    {"torch", "uint8", Role::element, Dtype::u8},
    {"torch", "bool", Role::element, Dtype::boolean},
    {"torch", "uint16", Role::element, Dtype::u16},
    {"torch", "uint32", Role::element, Dtype::u32},
    {"torch", "uint64", Role::element, Dtype::u64},
    {"torch", "float8_e5m2", Role::element, Dtype::f8_e5m2},
    {"torch", "float8_e4m3fn", Role::element, Dtype::f8_e4m3},
    {"torch", "complex64", Role::element},
    {"torch", "complex128", Role::element},
};

/// What PyTorch calls an element type; "" of those that it has none of.
inline std::string_view pytorch_name(Dtype dtype) {
  for (const Constructor& c : constructors)
    if (c.role == Role::element && c.dtype == dtype) return c.name;
  return {};
}

/// The storage class of an element type; "" of those that are in UntypedStorage.
inline std::string_view pytorch_storage(Dtype dtype) {
  for (const Constructor& c : constructors)
    if (c.module == "torch" && c.role == Role::storage && c.dtype == dtype) return c.name;
  return {};
}

/// What a class of a TorchScript archive stands for: its modules are objects with attributes.
inline constexpr Constructor script_class{"__torch__", "", Role::inert};

/// What a name stands for; null where it is none of the list. Python 2's modules have their names
/// of Python 3, as pickles of protocol 2 need it.
inline const Constructor* find_constructor(std::string_view module, std::string_view name) {
  if (module == "__builtin__") module = "builtins";
  if (module == "copy_reg") module = "copyreg";
  if (module == "torch.cuda" && name.ends_with("Storage")) module = "torch";
  for (const Constructor& c : constructors)
    if (c.module == module && c.name == name) return &c;
  const bool custom = module.starts_with("__torch__.torch.classes");
  if ((module == "__torch__" || module.starts_with("__torch__.")) && !custom) return &script_class;
  return nullptr;
}

}  // namespace ebb::io::detail
