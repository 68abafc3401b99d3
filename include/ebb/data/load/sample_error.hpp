/// \file
/// What went wrong while a sample was made names the sample.
#pragma once

#include <ebb/core/error.hpp>

#include <exception>
#include <new>
#include <typeinfo>

namespace ebb::inline EBB_ABI::data::detail {

/// Throws the exception that is being handled once more, of the same type if it is one of the
/// library's, with "loader: sample 7: " before its sentence. Others become an Error that has them
/// nested in it (`std::rethrow_if_nested`); what is no std::exception, or says that there is no
/// memory, stays as it is.
[[noreturn]] inline void throw_from_sample(Index sample, const char* what = "sample") {
  const auto told = [&](const std::exception& error) {
    return message("loader: ", what, " ", sample, ": ", error.what());
  };
  const auto retell = [&]<class E>(const E& error) {
    if (typeid(error) != typeid(E)) throw;  // of a type that we cannot make
    throw E(told(error));
  };
  try {
    throw;
  } catch (const ShapeError& error) {
    retell(error);
  } catch (const ValueError& error) {
    retell(error);
  } catch (const FileError& error) {
    retell(error);
  } catch (const NumericError& error) {
    retell(error);
  } catch (const Error& error) {
    retell(error);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    std::throw_with_nested(Error(told(error)));
  }
  std::terminate();  // not reached: what is being handled was thrown
}

}  // namespace ebb::data::detail
