# What "cmake --install" puts where, and the Debian packages that CPack makes of it. scripts/package is the one command.
include(GNUInstallDirs)

set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                                WORLD_READ WORLD_EXECUTE)
set(doc share/doc/pons)

# Without the time of the build, so that the same source makes the same bytes.
function(install_compressed source name destination)
  set(made ${PROJECT_BINARY_DIR}/compressed/${name}.gz)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/compressed)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  execute_process(COMMAND gzip -9nc ${source} OUTPUT_FILE ${made} COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${made} DESTINATION ${destination} COMPONENT pons)
endfunction()

function(install_link target destination name component)
  set(made ${PROJECT_BINARY_DIR}/links/${name})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/links)
  file(CREATE_LINK ${target} ${made} SYMBOLIC)
  install(FILES ${made} DESTINATION ${destination} COMPONENT ${component} ${ARGN})
endfunction()

# Debian's place for plugins, whatever the architecture. People call it by the name in sbin: "pons list".
install(TARGETS pons RUNTIME DESTINATION lib/cni COMPONENT pons)
install_link(../lib/cni/pons sbin pons pons)

foreach(page pons.8 pons.conf.5 pons-troubleshooting.7 pons-migration.7)
  string(REGEX REPLACE ".*[.]" "" section ${page})
  install_compressed(${PROJECT_SOURCE_DIR}/scripts/man/${page} ${page} share/man/man${section})
endforeach()
install_compressed(${PROJECT_SOURCE_DIR}/scripts/debian/changelog changelog.Debian ${doc})
install(FILES scripts/debian/copyright README.md DESTINATION ${doc} COMPONENT pons)
install(FILES scripts/debian/lintian-overrides DESTINATION share/lintian/overrides RENAME pons COMPONENT pons)
install(DIRECTORY conf-examples/ scripts/kubernetes DESTINATION ${doc}/examples COMPONENT pons)
install(FILES scripts/completion/pons DESTINATION share/bash-completion/completions COMPONENT pons)
install(FILES scripts/systemd/pons-repair.service scripts/systemd/pons-repair-on-reload.service
              scripts/systemd/pons-metrics.service scripts/systemd/pons-metrics.timer
        DESTINATION lib/systemd/system COMPONENT pons)
install(FILES scripts/systemd/pons.tmpfiles DESTINATION lib/tmpfiles.d RENAME pons.conf COMPONENT pons)
# For plugin directories of others than Debian: /opt/cni/bin.
install(PROGRAMS scripts/install DESTINATION share/pons COMPONENT pons)

# The names of the reference plugins are a package of their own, which diverts Debian's. Not for "cmake --install":
# there scripts/install makes links and keeps what was there.
foreach(name bridge host-local static loopback portmap firewall bandwidth tuning)
  install_link(pons lib/cni ${name} links EXCLUDE_FROM_ALL)
endforeach()
install(FILES scripts/debian/copyright DESTINATION share/doc/pons-links COMPONENT links EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_BINARY_DIR}/compressed/changelog.Debian.gz DESTINATION share/doc/pons-links COMPONENT links
        EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_COMPONENTS_ALL pons links)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "pons maintainers <maintainers@pons.example>")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(maintainer_scripts ${PROJECT_SOURCE_DIR}/scripts/debian)
set(CPACK_DEBIAN_PONS_PACKAGE_NAME pons)
set(CPACK_DEBIAN_PONS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PONS_PACKAGE_SUGGESTS "pons-links, prometheus-node-exporter")
set(CPACK_DEBIAN_PONS_PACKAGE_CONTROL_EXTRA
    "${maintainer_scripts}/postinst;${maintainer_scripts}/prerm;${maintainer_scripts}/postrm")
set(CPACK_COMPONENT_PONS_DESCRIPTION
    "CNI plugin that gives containers their place on a Linux bridge
A container runtime calls it, and it makes a veth pair, addresses, routes,
masquerade, published ports, bandwidth limits and IP forwarding while somebody
needs it, by a few netlink messages and without iptables. Everything is
written down before the kernel is touched, so a failed or killed start is
undone.
.
Called by a person it lists what it knows, explains it, and mends what others
took away: see pons(8).")

set(CPACK_DEBIAN_LINKS_PACKAGE_NAME pons-links)
set(CPACK_DEBIAN_LINKS_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_LINKS_PACKAGE_DEPENDS "pons (= ${PROJECT_VERSION}-1)")
set(CPACK_DEBIAN_LINKS_PACKAGE_CONTROL_EXTRA
    "${maintainer_scripts}/links/preinst;${maintainer_scripts}/links/prerm;${maintainer_scripts}/links/postrm")
set(CPACK_COMPONENT_LINKS_DESCRIPTION
    "pons in place of the CNI project's reference plugins
Makes pons bridge, host-local, static, loopback, portmap, firewall, bandwidth
and tuning in /usr/lib/cni, so that the configurations that are there work as
they are. The plugins of containernetworking-plugins are diverted: they stay
as NAME.reference, and come back when this package is removed.")
include(CPack)
