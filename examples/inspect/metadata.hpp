// What pictures carry beside their pixels: texts, camera data, whole files. All of it is printed,
// as far as it is text; see print.cpp for how much.
#pragma once

#include <cstdint>
#include <span>
#include <string>

using Bytes = std::span<const unsigned char>;

// Chunks of a PNG file (PNG specification, third edition), and what follows its end.
void png_metadata(Bytes file);

// Segments of a JPEG file (ITU-T T.81, annex B), and what follows its end.
void jpeg_metadata(Bytes file);

// Camera data: directories of TIFF (CIPA DC-008, 4.6).
void exif(Bytes block);

// Datasets of IPTC-IIM (IPTC-NAA Information Interchange Model 4.2), and the resources of Photoshop
// in which they are kept (Photoshop File Formats, "Image Resource Blocks").
void iptc(Bytes block);
void photoshop(Bytes block);
