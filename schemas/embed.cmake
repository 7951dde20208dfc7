# Writes a C++ file that holds every schema as text: cmake -DOUTPUT=... -DFILES=... -P embed.cmake
set(rows "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  string(REPLACE ".schema.json" "" name ${name})
  file(READ ${file} text)
  string(APPEND rows "    {\"${name}\", R\"~~~(${text})~~~\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"lib/base/schema_texts.h\"\n\nnamespace limbeck {\n\nconst std::vector<SchemaText>& schema_texts() {\n  static const std::vector<SchemaText> texts = {\n${rows}  };\n  return texts;\n}\n\n}  // namespace limbeck\n")
