# What an operation with kernels of its own touches: every file of SOURCE that speaks of OPERATION is
# in the table of CONTRIBUTING.md, every file of the table is there and speaks of it, and they are no
# more than eight.

cmake_minimum_required(VERSION 3.22)

set(most 8)

# The table: the lines that begin with a file's name, below its heading.
file(STRINGS ${SOURCE}/CONTRIBUTING.md lines)
set(inside OFF)
set(listed "")
foreach(line IN LISTS lines)
  if(line MATCHES "^#+ ")
    set(inside OFF)
  endif()
  if(line MATCHES "^#+ The files of an operation")
    set(inside ON)
  elseif(inside AND line MATCHES "^\\| `([^`]+)` \\|")
    list(APPEND listed ${CMAKE_MATCH_1})
  endif()
endforeach()

set(wrong 0)
macro(found text)
  message("${text}")
  math(EXPR wrong "${wrong} + 1")
endmacro()

list(LENGTH listed count)
if(count EQUAL 0 OR count GREATER most)
  found("CONTRIBUTING.md lists ${count} files of an operation; it should be ${most} at most")
endif()

# Its name begins a word, and is no other library's function: `np.cumsum` is none of ours. Dumps that
# other programs wrote are not read, nor what tells of the past.
set(patterns "")
foreach(folder include tests docs benchmarks examples)
  foreach(ending hpp cuh inl cpp cu cmake txt tsv md sh py)
    list(APPEND patterns ${SOURCE}/${folder}/*.${ending})
  endforeach()
endforeach()
file(GLOB_RECURSE files RELATIVE ${SOURCE} ${patterns} ${SOURCE}/README.md ${SOURCE}/CMakeLists.txt)
list(FILTER files EXCLUDE REGEX "^tests/(oracle/fixtures|layering)/")
set(speaking "")
foreach(file IN LISTS files)
  file(STRINGS ${SOURCE}/${file} mentions REGEX "(^|[^A-Za-z0-9_.])${OPERATION}" LIMIT_COUNT 1)
  if(mentions)
    list(APPEND speaking ${file})
  endif()
endforeach()

foreach(file IN LISTS speaking)
  if(NOT file IN_LIST listed)
    found("${file} speaks of ${OPERATION}, and CONTRIBUTING.md does not list it")
  endif()
endforeach()
foreach(file IN LISTS listed)
  if(NOT file IN_LIST speaking)
    found("CONTRIBUTING.md lists ${file}, which is not there or does not speak of ${OPERATION}")
  endif()
endforeach()
if(wrong GREATER 0)
  message(FATAL_ERROR "${wrong} files are not as CONTRIBUTING.md says")
endif()
