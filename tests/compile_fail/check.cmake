# Compiles SOURCE, which must succeed, and again with WRONG defined, which must fail with every
# sentence that an `// expect:` line of it gives.

cmake_minimum_required(VERSION 3.22)

execute_process(COMMAND ${COMPILE} -fsyntax-only ${SOURCE} RESULT_VARIABLE status ERROR_VARIABLE text)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "The right way does not compile:\n${text}")
endif()

execute_process(COMMAND ${COMPILE} -fsyntax-only -DWRONG ${SOURCE}
  RESULT_VARIABLE status ERROR_VARIABLE text)
if(status EQUAL 0)
  message(FATAL_ERROR "The wrong way compiles")
endif()

file(STRINGS ${SOURCE} expectations REGEX "^// expect: ")
if(NOT expectations)
  message(FATAL_ERROR "${SOURCE} has no '// expect:' line")
endif()
foreach(line IN LISTS expectations)
  string(REPLACE "// expect: " "" sentence "${line}")
  string(FIND "${text}" "${sentence}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "The compiler does not say \"${sentence}\". It says:\n${text}")
  endif()
endforeach()
