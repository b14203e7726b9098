# Writes OUT, a C++ file that holds every file below DIST (the built browser client) in the program.
# Run by the build: cmake -DDIST=… -DOUT=… -P embed_page.cmake
file(GLOB_RECURSE files RELATIVE ${DIST} ${DIST}/*)
if(NOT files)
  message(FATAL_ERROR "${DIST} holds no page: run script/setup, which builds the browser client")
endif()
list(SORT files)
set(assembler "")
set(declarations "")
set(entries "")
set(number 0)
foreach(file ${files})
  set(symbol "rtc_page_file_${number}")
  string(APPEND assembler
    "    \".global ${symbol}\\n.balign 16\\n${symbol}:\\n.incbin \\\"${DIST}/${file}\\\"\\n\"\n"
    "    \".global ${symbol}_end\\n${symbol}_end:\\n.byte 0\\n\"\n")
  string(APPEND declarations "extern const char ${symbol}[];\nextern const char ${symbol}_end[];\n")
  string(APPEND entries
    "      {\"/${file}\", {${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol})}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "// Made by cmake/embed_page.cmake.
#include \"server/static_files.hpp\"

asm(\".section .rodata\\n\"
${assembler}    \".previous\\n\");

extern \"C\" {
${declarations}}

namespace rtc::server {

std::span<const EmbeddedFile> embedded_page() {
  static const EmbeddedFile files[] = {
${entries}  };
  return files;
}

}  // namespace rtc::server
")
