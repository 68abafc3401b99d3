/// \file
/// Files of named tensors of either kind: safetensors, and PyTorch's own.
#pragma once

#include <ebb/io/pytorch.hpp>
#include <ebb/io/safetensors.hpp>

namespace ebb::inline EBB_ABI::io {

/// Whether a path ends as PyTorch's files do: .pt, .pth or .ckpt.
inline bool is_pytorch_name(std::string_view path) {
  return path.ends_with(".pt") || path.ends_with(".pth") || path.ends_with(".ckpt");
}

/// Writes tensors as the name of the file says: for PyTorch where it ends in .pt, .pth or .ckpt, as
/// safetensors else. The file appears whole or not at all.
/// \throws FileError when it cannot be written, ValueError when two tensors share a name.
inline void write_weights(const std::string& path, std::span<const NamedTensor> tensors,
                          Metadata metadata = {}) {
  if (is_pytorch_name(path)) return write_pytorch(path, tensors, metadata);
  metadata.try_emplace("format", "pt");  // what PyTorch's users are told to look for
  write_safetensors(path, tensors, metadata);
}

/// Opens a file of tensors by what it begins with, so that a wrong name does no harm. Only where it
/// begins like neither kind, its name says which one it fails to be.
/// \throws FileError when it is missing, or cannot be believed.
inline std::unique_ptr<TensorFile> open_weights(const std::string& path) {
  unsigned char head[9] = {};
  bool opened = false;
  if (const int file = os::open_to_read(path); file >= 0) {
    opened = os::read_at(file, head, sizeof head, 0) >= 0;
    os::close_quietly(file);
  }
  const bool safetensors = head[8] == '{';  // behind the length of its header
  const bool pytorch = (head[0] == 'P' && head[1] == 'K') || head[0] == 0x80;
  if (opened && !safetensors && (pytorch || is_pytorch_name(path)))
    return std::make_unique<PytorchFile>(path);
  return std::make_unique<SafetensorsFile>(path);
}

}  // namespace ebb::io
