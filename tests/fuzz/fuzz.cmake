# Every tests/fuzz/fuzz_NAME.c is one fuzz target. Each build replays its corpus and seeds
# (fuzz.NAME); with UNDERTONE_FUZZ (preset "fuzz", clang) there is also fuzz_NAME for libFuzzer:
#     cmake --preset fuzz && cmake --build --preset fuzz
#     mkdir -p /tmp/found && build/fuzz/fuzz_text /tmp/found tests/fuzz/corpus/text
option(UNDERTONE_FUZZ "Build libFuzzer targets (needs clang)" OFF)
if(UNDERTONE_FUZZ)
    # The room without its kernels: clang 14 does not know every instruction set that they use.
    file(GLOB fuzzed CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/nlp/*.c)
    add_library(ut_fuzzed STATIC EXCLUDE_FROM_ALL ${fuzzed})
    target_link_libraries(ut_fuzzed PUBLIC ut_base)
    add_custom_target(fuzz)
endif()

function(undertone_fuzz_target name)
    set(source ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${name}.c)
    set(target fuzz_${name}_replay)
    add_executable(${target} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
    target_compile_definitions(${target} PRIVATE ${UNDERTONE_TEST_DEFINITIONS})
    target_link_libraries(${target} PRIVATE ut_nlp)
    add_test(NAME fuzz.${name}
             COMMAND ${target} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name} ${ARGN})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 300)
    if(UNDERTONE_FUZZ)
        add_executable(fuzz_${name} EXCLUDE_FROM_ALL ${source})
        target_compile_definitions(fuzz_${name} PRIVATE ${UNDERTONE_TEST_DEFINITIONS})
        target_link_libraries(fuzz_${name} PRIVATE ut_fuzzed m)
        add_dependencies(fuzz fuzz_${name})
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    endif()
endfunction()

# Seeds that other tests have already.
file(GLOB tokenizer_seeds ${CMAKE_SOURCE_DIR}/tests/golden/tokenizers/*/tokenizer.json
     ${CMAKE_SOURCE_DIR}/tests/golden/tokenizers/variants/*/tokenizer.json)
undertone_fuzz_target(tokenizer_json ${tokenizer_seeds})
undertone_fuzz_target(sentencepiece
                      ${CMAKE_SOURCE_DIR}/tests/fixtures/tiny-xlm-roberta/sentencepiece.bpe.model)
undertone_fuzz_target(text)
set(variants ${CMAKE_SOURCE_DIR}/tests/fixtures/variants)
undertone_fuzz_target(safetensors ${variants}/bert-gamma-beta/model.safetensors)
undertone_fuzz_target(torch_file ${variants}/roberta-views-bin/pytorch_model.bin
                      ${variants}/roberta-legacy-bin/pytorch_model.bin)
undertone_fuzz_target(pickle)
undertone_fuzz_target(zip ${variants}/roberta-views-bin/pytorch_model.bin)
undertone_fuzz_target(model_config ${variants}/bert-relu/config.json)
undertone_fuzz_target(packed)
undertone_fuzz_target(call_restore)
target_link_libraries(fuzz_call_restore_replay PRIVATE ut_mood)
if(UNDERTONE_FUZZ)
    target_link_libraries(fuzz_call_restore PRIVATE ut_mood)
endif()
undertone_fuzz_target(ws_frame)
undertone_fuzz_target(feed_message)
undertone_fuzz_target(contact_event)
undertone_fuzz_target(redact)
undertone_fuzz_target(rules)
foreach(pair "ws_frame;ut_net" "feed_message;ut_cxone" "contact_event;ut_cxone"
             "redact;ut_redact" "rules;ut_cues")
    list(GET pair 0 name)
    list(GET pair 1 room)
    target_link_libraries(fuzz_${name}_replay PRIVATE ${room})
    if(UNDERTONE_FUZZ)
        target_link_libraries(fuzz_${name} PRIVATE ${room})
    endif()
endforeach()

# The program that tools/tokenizer_fuzz.py compares with Hugging Face's library.
add_executable(token_ids ${CMAKE_SOURCE_DIR}/tests/fuzz/token_ids.c)
target_link_libraries(token_ids PRIVATE ut_nlp)
