#include "download.hpp"

#ifndef EBB_HAVE_DOWNLOAD

Download fetch_mnist(const std::string&) {
  return {false, false,
          "this program was built without libcurl and OpenSSL, so it cannot download"};
}

#else

#  include <ebb/io/atomic_file.hpp>

#  include <curl/curl.h>
#  include <openssl/evp.h>
#  include <unistd.h>

#  include <cstdio>
#  include <filesystem>
#  include <fstream>
#  include <iterator>
#  include <memory>
#  include <vector>

namespace fs = std::filesystem;

namespace {

struct File {
  const char* name;
  std::size_t bytes;
  const char* sha256;
};

// The canonical files. A mirror that has others is as good as none.
constexpr File files[] = {
    {"train-images-idx3-ubyte.gz", 9912422,
     "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
    {"train-labels-idx1-ubyte.gz", 28881,
     "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
    {"t10k-images-idx3-ubyte.gz", 1648877,
     "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
    {"t10k-labels-idx1-ubyte.gz", 4542,
     "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
};

constexpr const char* mirrors[] = {
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
};

std::string sha256(const std::string& content) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (EVP_Digest(content.data(), content.size(), digest, &length, EVP_sha256(), nullptr) != 1)
    return {};
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", unsigned{digest[i]});
    hex += two;
  }
  return hex;
}

bool is_right(const std::string& content, const File& file) {
  return content.size() == file.bytes && sha256(content) == file.sha256;
}

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct Transfer {
  std::string content;
  std::size_t most = 0;
};

std::size_t receive(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  if (transfer.content.size() + size * count > transfer.most) return 0;  // ends the transfer
  transfer.content.append(bytes, size * count);
  return size * count;
}

// The file at `url`, or an empty text and the reason in `problem`.
std::string get(const std::string& url, const File& file, std::string& problem) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  if (!curl) {
    problem = "libcurl does not start";
    return {};
  }
  Transfer transfer{{}, file.bytes};
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
#  if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl.get(), CURLOPT_REDIR_PROTOCOLS_STR, "https");
#  else
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTPS));
  curl_easy_setopt(curl.get(), CURLOPT_REDIR_PROTOCOLS, static_cast<long>(CURLPROTO_HTTPS));
#  endif
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, 5L);
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1000L);  // bytes per second,
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, 15L);     // for so many seconds: give up
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 600L);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &transfer);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    problem = url + ": " + (*reason ? reason : curl_easy_strerror(code));
    return {};
  }
  if (!is_right(transfer.content, file)) {
    problem = url + ": its SHA-256 is not that of the canonical file";
    return {};
  }
  return std::move(transfer.content);
}

}  // namespace

Download fetch_mnist(const std::string& folder) {
  Download result;
  if (folder.empty()) {
    result.problem = "neither HOME nor XDG_CACHE_HOME says where downloads are kept";
    return result;
  }
  std::vector<const File*> missing;
  for (const File& file : files)
    if (!is_right(read_file(folder + "/" + file.name), file)) missing.push_back(&file);
  if (missing.empty()) {
    result.complete = true;
    return result;
  }

  std::error_code error;
  fs::create_directories(folder, error);
  if (error || ::access(folder.c_str(), W_OK) != 0) {
    result.problem = folder + " cannot be written to";
    return result;
  }
  for (const File* file : missing) {
    std::string content;
    for (const char* mirror : mirrors) {
      std::fprintf(stderr, "fetching %s%s\n", mirror, file->name);
      content = get(std::string(mirror) + file->name, *file, result.problem);
      if (!content.empty()) break;
    }
    if (content.empty()) {
      result.problem = "no mirror delivers it (the last said: " + result.problem + ")";
      return result;
    }
    try {
      ebb::io::AtomicFile target(folder + "/" + file->name);
      target.write(content.data(), content.size());
      target.commit();
    } catch (const ebb::Error& failure) {
      result.problem = failure.what();
      return result;
    }
  }
  result.complete = result.fetched = true;
  result.problem.clear();
  return result;
}

#endif
