/// \file
/// What a loss does with the terms of its elements.
#pragma once

namespace ebb {

/// `mean` divides the sum of the terms by their number (or by the sum of their weights, where a
/// loss says so); `sum` does not.
enum class Reduction { mean, sum };

}  // namespace ebb
