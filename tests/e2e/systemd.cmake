# How exposed the service is, by systemd's own reckoning: 2.0 at most, of 10.
find_program(SYSTEMD_ANALYZE systemd-analyze)
if(SYSTEMD_ANALYZE)
    add_test(NAME lint.service
             COMMAND ${SYSTEMD_ANALYZE} security --no-pager --offline=true --threshold=20
                     ${CMAKE_SOURCE_DIR}/packaging/systemd/undertone.service)
    set_tests_properties(lint.service PROPERTIES LABELS lint TIMEOUT 60)
endif()
