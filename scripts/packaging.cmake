# "cmake --install", and the Debian packages that CPack makes of it (scripts/package).
include(GNUInstallDirs)

set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                                WORLD_READ WORLD_EXECUTE)
set(doc share/doc/pons)

# gzip -n: without the time of the build, for reproducible packages.
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

# Debian's plugin directory, the same for all architectures.
install(TARGETS pons RUNTIME DESTINATION lib/cni COMPONENT pons)
install(TARGETS ponsctl RUNTIME DESTINATION sbin COMPONENT pons)
# For "pons list" and the like, which execute ponsctl: for one release.
install_link(../lib/cni/pons sbin pons pons)

foreach(page pons.8 ponsctl.8 pons.conf.5 pons-troubleshooting.7 pons-migration.7)
  string(REGEX REPLACE ".*[.]" "" section ${page})
  install_compressed(${PROJECT_SOURCE_DIR}/scripts/man/${page} ${page} share/man/man${section})
endforeach()
install_compressed(${PROJECT_SOURCE_DIR}/scripts/debian/changelog changelog.Debian ${doc})
install_compressed(${PROJECT_SOURCE_DIR}/CHANGELOG.md changelog ${doc})
install(FILES scripts/debian/copyright README.md CONTRIBUTING.md SECURITY.md DESTINATION ${doc} COMPONENT pons)
install(DIRECTORY tests/bench/charts DESTINATION ${doc}/tests/bench COMPONENT pons) # the pictures in README.md
install(FILES scripts/debian/lintian-overrides DESTINATION share/lintian/overrides RENAME pons COMPONENT pons)
install(DIRECTORY conf-examples/ scripts/kubernetes scripts/prometheus DESTINATION ${doc}/examples COMPONENT pons)
install(FILES scripts/completion/ponsctl DESTINATION share/bash-completion/completions COMPONENT pons)
install(FILES scripts/systemd/pons-watch.service DESTINATION lib/systemd/system COMPONENT pons)
install(FILES scripts/systemd/pons.tmpfiles DESTINATION lib/tmpfiles.d RENAME pons.conf COMPONENT pons)
install(FILES scripts/managers/10-pons.conf DESTINATION lib/NetworkManager/conf.d COMPONENT pons)
install(FILES scripts/managers/10-pons.network scripts/managers/10-pons.link DESTINATION lib/systemd/network
        COMPONENT pons)
install(FILES scripts/modules/modules-load.conf DESTINATION lib/modules-load.d RENAME pons.conf COMPONENT pons)
install(FILES scripts/modules/modprobe.conf DESTINATION lib/modprobe.d RENAME pons.conf COMPONENT pons)
# For other plugin directories, such as /opt/cni/bin.
install(PROGRAMS scripts/install DESTINATION share/pons COMPONENT pons)

# The names of the reference plugins: a package of their own, which diverts Debian's files. Without packages
# scripts/install makes these links.
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
    "CNI plugin that connects containers to a Linux bridge
A container runtime calls pons, which sets up a veth pair, addresses, routes,
masquerade, published ports and bandwidth limits, and IP forwarding for as
long as a container needs it: one process, with a constant number of netlink
messages and without iptables. Each change is recorded before it is made, so
that a failed or killed ADD can be rolled back.
.
The command ponsctl lists and checks container networks, diagnoses the host,
and restores what other programs removed from the kernel.")

set(CPACK_DEBIAN_LINKS_PACKAGE_NAME pons-links)
set(CPACK_DEBIAN_LINKS_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_LINKS_PACKAGE_DEPENDS "pons (= ${PROJECT_VERSION}-1)")
set(CPACK_DEBIAN_LINKS_PACKAGE_CONTROL_EXTRA
    "${maintainer_scripts}/links/preinst;${maintainer_scripts}/links/prerm;${maintainer_scripts}/links/postrm")
set(CPACK_COMPONENT_LINKS_DESCRIPTION
    "pons under the names of the CNI reference plugins
Installs pons as bridge, host-local, static, loopback, portmap, firewall,
bandwidth and tuning in /usr/lib/cni, so that existing configurations work
unchanged. The plugins of containernetworking-plugins are diverted to
NAME.reference, and restored when this package is removed.")
include(CPack)
