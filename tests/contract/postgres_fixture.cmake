# Before and after the contract tests on PostgreSQL: cmake -DDO=start|stop -DSCRIPT=tests/postgres
# -DFILE=where the directory and the URL of the server are noted -P this.
if(DO STREQUAL "start")
  execute_process(COMMAND ${SCRIPT} start OUTPUT_FILE ${FILE} COMMAND_ERROR_IS_FATAL ANY)
else()
  file(STRINGS ${FILE} lines)
  list(GET lines 0 directory)
  execute_process(COMMAND ${SCRIPT} stop ${directory} COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE ${FILE})
endif()
