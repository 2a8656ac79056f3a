# undertone_assets(ROOM DIRECTORY): every file of DIRECTORY becomes a byte array in the room's library,
# found by name (src/app/assets.h). Run as a script (-P) this file writes the arrays; nothing
# generated is kept in the repository.
function(undertone_assets room directory)
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${directory}/*)
    set(generated ${CMAKE_BINARY_DIR}/generated/${directory}_assets.c)
    add_custom_command(
        OUTPUT ${generated}
        COMMAND ${CMAKE_COMMAND} -D OUT=${generated} -D "FILES=${files}"
                -P ${CMAKE_SOURCE_DIR}/cmake/assets.cmake
        DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/assets.cmake
        COMMENT "Embedding ${directory}/"
        VERBATIM)
    target_sources(ut_${room} PRIVATE ${generated})
endfunction()

function(undertone_write_assets out)
    set(arrays "")
    set(entries "")
    set(number 0)
    foreach(file ${ARGN})
        get_filename_component(name ${file} NAME)
        file(READ ${file} hex HEX)
        string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
        string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
        string(APPEND arrays "static const unsigned char bytes_${number}[] = {\n${bytes}\n};\n")
        string(APPEND entries "    {\"${name}\", bytes_${number}, sizeof bytes_${number}},\n")
        math(EXPR number "${number} + 1")
    endforeach()
    file(WRITE ${out} "#include \"app/assets.h\"\n\n${arrays}
const struct asset assets_all[] = {
${entries}};
const size_t assets_count = sizeof assets_all / sizeof *assets_all;
")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
    undertone_write_assets(${OUT} ${FILES})
endif()
