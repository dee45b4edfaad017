package io.rigmesh.node.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// One setting: a component of a record of settings. Its key is the component's name in kebab case
/// behind the keys of the records around it, such as `rest.port`.
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Setting {
  /// The value where nothing else is said, as a person would write it. Empty for none.
  String value();

  /// What it is for, in one sentence.
  String help();

  /// True if it must never be printed or logged.
  boolean secret() default false;

  /// The least that a number may be.
  long min() default 0;

  /// The most that a number may be, where its type allows more.
  long max() default Long.MAX_VALUE;
}
