// Fetches the MNIST files once.
#pragma once

#include <string>

struct Download {
  bool complete = false;  // all four files are in the folder, and are what they should be
  bool fetched = false;   // some came over the network just now
  std::string problem;    // why it is not complete
};

// Makes sure that `folder` holds the four files with the right checksums; fetches those that do not
// from one of several mirrors. Never throws for want of a network.
Download fetch_mnist(const std::string& folder);
