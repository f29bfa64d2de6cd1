/**
 * The groups of libraries that are often found without Maven's own descriptor, or whose manifest misleads: `guava` calls
 * itself the bundle `com.google.guava`, `commons-lang` the vendor `org.apache`. Facts of Maven Central. Exact names,
 * and families by the beginning of the name, the longest first.
 */

/** The group of a well-known artifact, or undefined. */
export function knownGroup(artifact: string): string | undefined {
  return exact.get(artifact);
}

/** The group of a family that the artifact belongs to by its name. Others may use the name: weigh it with the manifest. */
export function familyGroup(artifact: string): string | undefined {
  return families.find(([prefix]) => artifact.startsWith(prefix))?.[1];
}

/** Group, then its artifacts; `=` stands for a group of the artifact's own name. */
const groups: readonly (readonly [string, string])[] = [
  [
    '=',
    'aopalliance cglib commons-beanutils commons-chain commons-cli commons-codec commons-collections ' +
      'commons-configuration commons-daemon commons-dbcp commons-digester commons-discovery commons-el ' +
      'commons-fileupload commons-httpclient commons-io commons-jexl commons-jxpath commons-lang commons-launcher ' +
      'commons-logging commons-math commons-net commons-pool commons-validator joda-time junit log4j oro velocity ' +
      'xml-apis xmlunit',
  ],
  [
    'org.apache.commons',
    'commons-collections4 commons-compress commons-configuration2 commons-crypto commons-csv commons-dbcp2 ' +
      'commons-digester3 commons-email commons-exec commons-fileupload2 commons-imaging commons-jcs commons-jexl3 ' +
      'commons-lang3 commons-math3 commons-pool2 commons-rng commons-text commons-vfs2',
  ],
  [
    'org.springframework',
    'spring-aop spring-aspects spring-beans spring-context spring-context-indexer spring-context-support spring-core ' +
      'spring-expression spring-instrument spring-jcl spring-jdbc spring-jms spring-messaging spring-orm spring-oxm ' +
      'spring-r2dbc spring-test spring-tx spring-web spring-webflux spring-webmvc spring-websocket',
  ],
  [
    'org.slf4j',
    'slf4j-api jcl-over-slf4j jul-to-slf4j log4j-over-slf4j slf4j-ext slf4j-jcl slf4j-jdk14 slf4j-log4j12 slf4j-nop ' +
      'slf4j-reload4j slf4j-simple',
  ],
  ['org.apache.ant', 'ant'],
  ['com.fasterxml.jackson.core', 'jackson-annotations jackson-core jackson-databind'],
  ['org.codehaus.jackson', 'jackson-core-asl jackson-mapper-asl jackson-jaxrs jackson-xc'],
  ['com.google.guava', 'guava failureaccess listenablefuture'],
  ['com.google.code.gson', 'gson'],
  ['com.google.code.findbugs', 'jsr305'],
  ['com.google.protobuf', 'protobuf-java protobuf-java-util protobuf-javalite'],
  ['com.google.inject', 'guice'],
  ['javax.inject', 'javax.inject'],
  ['org.apache.httpcomponents', 'httpclient httpcore httpmime httpasyncclient httpcore-nio fluent-hc'],
  ['org.apache.httpcomponents.client5', 'httpclient5 httpclient5-fluent httpclient5-cache'],
  ['org.apache.httpcomponents.core5', 'httpcore5 httpcore5-h2'],
  ['com.squareup.okio', 'okio okio-jvm'],
  ['org.ow2.asm', 'asm asm-analysis asm-commons asm-tree asm-util'],
  ['org.javassist', 'javassist'],
  ['org.yaml', 'snakeyaml'],
  ['com.h2database', 'h2'],
  ['org.hsqldb', 'hsqldb'],
  ['org.postgresql', 'postgresql'],
  ['mysql', 'mysql-connector-java'],
  ['com.mysql', 'mysql-connector-j'],
  ['org.mariadb.jdbc', 'mariadb-java-client'],
  ['com.microsoft.sqlserver', 'mssql-jdbc'],
  ['com.oracle.database.jdbc', 'ojdbc8 ojdbc10 ojdbc11 ucp ucp11'],
  ['xerces', 'xercesImpl'],
  ['xalan', 'xalan serializer'],
  ['com.thoughtworks.xstream', 'xstream'],
  ['com.alibaba', 'fastjson druid'],
  ['org.apache.kafka', 'kafka-clients kafka-streams kafka_2.12 kafka_2.13 connect-api connect-runtime'],
  ['org.apache.zookeeper', 'zookeeper zookeeper-jute'],
  ['org.apache.struts', 'struts2-core'],
  ['org.elasticsearch', 'elasticsearch'],
  ['org.scala-lang', 'scala-compiler scala-library scala-reflect'],
  ['org.hamcrest', 'hamcrest hamcrest-all hamcrest-core hamcrest-library'],
  ['org.mockito', 'mockito-all mockito-core mockito-inline'],
  ['org.quartz-scheduler', 'quartz'],
  ['net.sf.ehcache', 'ehcache ehcache-core'],
  ['org.freemarker', 'freemarker'],
  ['org.apache.velocity', 'velocity-engine-core'],
];

const exact: ReadonlyMap<string, string> = new Map(
  groups.flatMap(([group, artifacts]) =>
    artifacts.split(' ').map((artifact): [string, string] => [artifact, group === '=' ? artifact : group]),
  ),
);

const families: readonly (readonly [string, string])[] = (
  [
    ['ant-', 'org.apache.ant'],
    ['activemq-', 'org.apache.activemq'],
    ['bcmail-', 'org.bouncycastle'],
    ['bcpg-', 'org.bouncycastle'],
    ['bcpkix-', 'org.bouncycastle'],
    ['bcprov-', 'org.bouncycastle'],
    ['bctls-', 'org.bouncycastle'],
    ['bcutil-', 'org.bouncycastle'],
    ['camel-', 'org.apache.camel'],
    ['cxf-', 'org.apache.cxf'],
    ['hadoop-', 'org.apache.hadoop'],
    ['jackson-dataformat-', 'com.fasterxml.jackson.dataformat'],
    ['jackson-datatype-', 'com.fasterxml.jackson.datatype'],
    ['jackson-jaxrs-', 'com.fasterxml.jackson.jaxrs'],
    ['jackson-module-', 'com.fasterxml.jackson.module'],
    ['jetty-', 'org.eclipse.jetty'],
    ['kotlin-', 'org.jetbrains.kotlin'],
    ['kotlinx-', 'org.jetbrains.kotlinx'],
    ['log4j-', 'org.apache.logging.log4j'],
    ['logback-', 'ch.qos.logback'],
    ['lucene-', 'org.apache.lucene'],
    ['netty-', 'io.netty'],
    ['poi-', 'org.apache.poi'],
    ['shiro-', 'org.apache.shiro'],
    ['spring-boot', 'org.springframework.boot'],
    ['spring-cloud-', 'org.springframework.cloud'],
    ['spring-data-', 'org.springframework.data'],
    ['spring-security-', 'org.springframework.security'],
    ['spring-session-', 'org.springframework.session'],
    ['tomcat-', 'org.apache.tomcat'],
    ['tomcat-embed-', 'org.apache.tomcat.embed'],
  ] as const
).toSorted(([a], [b]) => b.length - a.length);
