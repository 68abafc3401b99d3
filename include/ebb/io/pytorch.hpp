/// \file
/// PyTorch's own files, .pt, .pth and .ckpt: the ZIP archives of PyTorch 1.6 and later, TorchScript
/// among them, and the format before. They are read as data; nothing in them is run.
#pragma once

#include <ebb/io/atomic_file.hpp>
#include <ebb/io/pytorch/contents.hpp>
#include <ebb/io/pytorch/legacy.hpp>
#include <ebb/io/pytorch/pickler.hpp>
#include <ebb/io/pytorch/zip_writer.hpp>

#include <span>
#include <tuple>

namespace ebb::inline EBB_ABI::io {

struct PytorchOptions {
  /// The entry that is the state dict, with dots where it is inside of another: "net",
  /// "ema.weights". "": `state_dict`, `model_state_dict` or `model` where they hold tensors, else
  /// the whole.
  std::string key = {};
  /// Tensors of more bytes are not read, since a view may repeat one element without end. 0: 4 GiB,
  /// or 16 times the bytes of its storage, whichever is more.
  std::uint64_t most_bytes = 0;
};

/// A file of torch.save: the tensors of its state dict under their names; numbers and texts beside
/// them are metadata, under theirs ("epoch", "hyper_parameters.lr"), and what else it holds is
/// passed over. A TorchScript archive gives the tensors of its modules.
class PytorchFile : public TensorFile {
 public:
  /// \throws FileError when the file is missing, or cannot be believed, or asks for more than
  /// tensors and plain values.
  explicit PytorchFile(const std::string& path, PytorchOptions options = {})
      : PytorchFile(std::make_shared<const os::OpenFile>("pytorch", path), std::move(options)) {}
  /// The same of bytes in memory; `path` is what messages call them.
  PytorchFile(const std::string& path, std::vector<unsigned char> bytes,
              PytorchOptions options = {})
      : PytorchFile(std::make_shared<const os::OpenFile>("pytorch", path, std::move(bytes)),
                    std::move(options)) {}

 private:
  PytorchFile(const std::shared_ptr<const os::OpenFile>& file, PytorchOptions options)
      : TensorFile("pytorch", file->path()), options_(std::move(options)) {
    std::string head(static_cast<std::size_t>(std::min<std::uint64_t>(file->size(), 512)), '\0');
    file->read(0, head.data(), head.size());
    if (head.starts_with("PK")) {
      auto archive = std::make_unique<detail::Archive>(file);
      const std::string text = archive->pickle();
      const std::string where = message("pytorch: '", path_, "': in its record ",
                                        detail::in_quotes(archive->record("data.pkl")));
      detail::Values values;
      detail::Unpickler unpickler(
          where, {reinterpret_cast<const unsigned char*>(text.data()), text.size()}, values);
      const detail::Ref root = unpickler.load();
      storages_ = std::move(archive);
      take(detail::Contents(message("pytorch: '", path_, "'"), values, root, options_.key));
    } else if (head.starts_with("\x80")) {
      auto legacy = std::make_unique<detail::LegacyFile>(file);
      detail::Contents contents(message("pytorch: '", path_, "'"), legacy->values(), legacy->root(),
                                options_.key);
      legacy->forget();
      storages_ = std::move(legacy);
      take(std::move(contents));
    } else if (head.size() > 262 && head.substr(257, 5) == "ustar") {
      fail("it is a tar file, of PyTorch before 0.2 perhaps; load it in Python, and save it again");
    } else {
      fail(
          "it is no file of PyTorch: it begins neither as a ZIP archive ('PK') nor as a pickle; it "
          "is damaged, or another kind of file");
    }
  }

  void take(detail::Contents contents) {
    layouts_ = std::move(contents.tensors);
    metadata_ = std::move(contents.metadata);
    for (const auto& [name, layout] : layouts_) {
      tensors_[name] = {layout.dtype, layout.shape};
      const std::uint64_t wanted = layout.count * static_cast<std::uint64_t>(bytes(layout.dtype));
      if (layout.size() == 0) continue;
      const std::uint64_t has = storages_->size(layout.storage);
      if (has < wanted)
        fail(message("tensor ", detail::in_quotes(name), " is in a storage of ", wanted,
                     " bytes, and its record ", detail::in_quotes(layout.storage), " has ", has,
                     "; it is truncated: copy it again"));
    }
  }

  std::size_t piece(const std::string& name) const override {
    const detail::Layout& layout = layouts_.find(name)->second;
    // What is not in order is put in order as a whole.
    return layout.contiguous() ? TensorFile::piece(name) : static_cast<std::size_t>(-1);
  }
  void check_size(const std::string& name) const override {
    const detail::Layout& layout = layouts_.find(name)->second;
    const auto width = static_cast<std::uint64_t>(bytes(layout.dtype));
    const std::uint64_t most = options_.most_bytes != 0
                                   ? options_.most_bytes
                                   : std::max(std::uint64_t{1} << 32, 16 * width * layout.count);
    if (layout.size() * width > most)
      fail(message("tensor ", detail::in_quotes(name), " of shape ", to_string(layout.shape),
                   " repeats its ", layout.count, " elements to ", layout.size() * width,
                   " bytes, and ", most,
                   " are allowed; raise PytorchOptions::most_bytes if that "
                   "is meant"));
  }

  void read(const std::string& name, std::uint64_t from, unsigned char* to,
            std::size_t count) const override {
    const detail::Layout& layout = layouts_.find(name)->second;
    const auto width = static_cast<std::size_t>(bytes(layout.dtype));
    if (count == 0) return;
    const std::uint64_t begin = layout.offset * width;
    if (layout.contiguous()) {
      storages_->read(layout.storage, begin + from, to, count);
    } else {
      std::vector<unsigned char> raw(static_cast<std::size_t>(layout.span()) * width);
      storages_->read(layout.storage, begin, raw.data(), raw.size());
      gather(layout, raw.data(), width, to);
    }
    if (storages_->big_endian() && width > 1)
      for (std::size_t i = 0; i < count; i += width) std::reverse(to + i, to + i + width);
  }

  /// Elements in the order of their indices, the last of which runs first.
  static void gather(const detail::Layout& layout, const unsigned char* from, std::size_t width,
                     unsigned char* to) {
    const std::size_t rank = layout.shape.size();
    std::vector<Index> at(rank, 0);
    const auto inner = layout.shape[rank - 1];
    const auto step = static_cast<std::size_t>(layout.strides[rank - 1]) * width;
    while (true) {
      const unsigned char* next = from;
      for (Index i = 0; i < inner; ++i, next += step, to += width) std::memcpy(to, next, width);
      std::size_t axis = rank - 1;
      while (axis > 0) {
        const auto stride = static_cast<std::ptrdiff_t>(layout.strides[axis - 1]) *
                            static_cast<std::ptrdiff_t>(width);
        from += stride;
        if (++at[axis - 1] < layout.shape[axis - 1]) break;
        from -= stride * layout.shape[axis - 1];
        at[--axis] = 0;
      }
      if (axis == 0) return;
    }
  }

  PytorchOptions options_;
  std::map<std::string, detail::Layout> layouts_;
  std::unique_ptr<const detail::Storages> storages_;
};

namespace detail {

/// Writes tensors as an archive to `sink.write(data, bytes)`.
template <class Sink>
void write_archive(Sink& sink, std::span<const NamedTensor> tensors, const Metadata& metadata) {
  std::vector<Pickler::Entry> entries;
  std::map<std::tuple<const void*, std::size_t, Dtype>, std::size_t> shared;
  std::vector<const NamedTensor*> storages;
  std::set<std::string_view> names;
  const auto text = [](std::string_view s) {
    if (!data::detail::is_utf8(s) || s.size() > 0xFFFFFFFF)
      throw ValueError(
          message("save: the name or metadata ", in_quotes(std::string(s)), " is not valid UTF-8"));
  };
  for (const auto& [name, value] : metadata) text(name), text(value);
  for (const NamedTensor& tensor : tensors) {
    text(tensor.name);
    if (!names.insert(tensor.name).second)
      throw ValueError(message("save: the name ", in_quotes(tensor.name),
                               " is used by two tensors; each needs its own"));
    std::size_t key = storages.size();
    if (tensor.bytes > 0)  // parameters that are one stay one
      key = shared.emplace(std::tuple{tensor.data, tensor.bytes, tensor.dtype}, key).first->second;
    if (key == storages.size()) storages.push_back(&tensor);
    entries.push_back({&tensor, std::to_string(key)});
  }
  ZipWriter<Sink> zip(sink);
  const std::string pickle = Pickler::state_dict(entries, metadata);
  zip.record("archive/data.pkl", pickle.data(), pickle.size());
  zip.record("archive/byteorder", "little", 6);
  for (std::size_t i = 0; i < storages.size(); ++i)
    zip.record("archive/data/" + std::to_string(i), storages[i]->data, storages[i]->bytes);
  zip.record("archive/version", "3\n", 2);
  zip.finish();
}

}  // namespace detail

/// Writes tensors as a state dict that `torch.load(path, weights_only=True)` reads, in the order
/// given; metadata become its attribute `ebb_metadata`, a dictionary. Tensors that share their
/// elements share them there too. The file appears whole or not at all.
/// \throws FileError when it cannot be written, ValueError when two tensors share a name.
inline void write_pytorch(const std::string& path, std::span<const NamedTensor> tensors,
                          const Metadata& metadata = {}) {
  AtomicFile file(path);
  detail::write_archive(file, tensors, metadata);
  file.commit();
}

}  // namespace ebb::io
